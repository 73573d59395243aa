#include "agent/config/environment.hpp"

#include "flipback/small_file.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <expected>
#include <sstream>
#include <utility>

namespace flipback::config {

namespace {

std::string_view stripped(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The text between double quotes; `text` begins after the first.
std::expected<std::string, std::string> between_quotes(std::string_view text, std::string_view& rest) {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      rest = text.substr(i + 1);
      return made;
    }
    if (text[i] != '\\' || i + 1 == text.size()) {
      made += text[i];
      continue;
    }
    const char next = text[++i];
    if (next == 'n')
      made += '\n';
    else if (next == 't')
      made += '\t';
    else if (next == '"' || next == '\\' || next == '$')
      made += next;
    else
      (made += '\\') += next;
  }
  return std::unexpected("its quote is not closed on the same line");
}

std::expected<std::string, std::string> value_of(std::string_view text) {
  std::string_view rest;
  std::expected<std::string, std::string> made;
  if (text.starts_with('"')) {
    made = between_quotes(text.substr(1), rest);
    if (!made) return made;
  } else if (text.starts_with('\'')) {
    const std::size_t end = text.find('\'', 1);
    if (end == std::string_view::npos) return std::unexpected("its quote is not closed on the same line");
    made = std::string(text.substr(1, end - 1));
    rest = text.substr(end + 1);
  } else {
    if (text.starts_with('#')) return std::string{};
    return std::string(stripped(text.substr(0, std::min(text.find(" #"), text.find("\t#")))));
  }
  rest = stripped(rest);
  if (!rest.empty() && !rest.starts_with('#')) return std::unexpected("there is something after its closing quote");
  return made;
}

void read_env_file(const env_file& named, environment& into, settings::diagnostics& problems) {
  auto text = read_small_file(named.path);
  if (!text) {
    problems.add(named.named_at, fmt::format("env_files: can't read \"{}\": {}", named.path, text.error()));
    return;
  }
  std::istringstream in(*std::move(text));
  std::string raw;
  for (std::uint32_t number = 1; std::getline(in, raw); ++number) {
    std::string_view line = stripped(raw);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("export ")) line = stripped(line.substr(7));
    const settings::position at{named.path, number, 0};
    const std::size_t equals = line.find('=');
    const std::string_view name = stripped(line.substr(0, equals));
    if (equals == std::string_view::npos || !is_variable_name(name)) {
      problems.add(at, "expected NAME=value");  // the line is not shown: it may hold a secret
      continue;
    }
    auto value = value_of(stripped(line.substr(equals + 1)));
    if (value)
      into.insert_or_assign(std::string(name), std::move(*value));
    else
      problems.add(at, fmt::format("{}: {}", name, value.error()));
  }
}

}  // namespace

bool is_variable_name(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

environment process_environment() {
  environment all;
  for (char** at = ::environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const std::size_t equals = entry.find('=');
    if (equals != std::string_view::npos) all.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return all;
}

void read_env_files(const std::vector<env_file>& files, environment& into, settings::diagnostics& problems) {
  environment from_files;
  for (const env_file& file : files) read_env_file(file, from_files, problems);
  into.merge(from_files);  // keeps what is there
}

}  // namespace flipback::config
