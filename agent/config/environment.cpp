#include "agent/config/environment.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <fstream>

namespace flipback::config {

namespace {

bool is_name(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

std::string_view stripped(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string unquoted(std::string_view text) {
  if (text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0]) return std::string(text.substr(1, text.size() - 2));
  const std::size_t comment = text.find(" #");
  return std::string(stripped(text.substr(0, comment)));
}

void read_env_file(const std::string& file, const settings::position& named_at, environment& into, settings::diagnostics& problems) {
  std::ifstream in(file);
  if (!in) {
    problems.add(named_at, fmt::format("env_files: can't read \"{}\"", file));
    return;
  }
  std::string raw;
  for (std::uint32_t number = 1; std::getline(in, raw); ++number) {
    std::string_view line = stripped(raw);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("export ")) line = stripped(line.substr(7));
    const std::size_t equals = line.find('=');
    const std::string_view name = line.substr(0, equals);
    if (equals == std::string_view::npos || !is_name(name)) {
      problems.add({file, number, 1}, "expected NAME=value");  // not shown: the line may hold a secret
      continue;
    }
    into.insert_or_assign(std::string(name), unquoted(stripped(line.substr(equals + 1))));
  }
}

std::string interpolated(const std::string& text, const settings::position& at, const environment& with, settings::diagnostics& problems) {
  std::string made;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '$' || i + 1 == text.size() || (text[i + 1] != '{' && text[i + 1] != '$')) {
      made += text[i++];
      continue;
    }
    if (text[i + 1] == '$') {
      made += '$';
      i += 2;
      continue;
    }
    const std::size_t close = text.find('}', i);
    if (close == std::string::npos) {
      problems.add(at, fmt::format("found \"${{\" without its \"}}\" in a string; write $$ for a plain $"));
      return text;
    }
    const std::string_view inside = std::string_view(text).substr(i + 2, close - i - 2);
    const std::size_t fallback = inside.find(":-");
    const std::string_view name = inside.substr(0, fallback);
    const auto found = with.find(name);
    if (found != with.end() && (fallback == std::string_view::npos || !found->second.empty())) {
      made += found->second;
    } else if (fallback != std::string_view::npos) {
      made += inside.substr(fallback + 2);
    } else {
      std::vector<std::string> names;
      for (const auto& [known, unused] : with) names.push_back(known);
      const std::string meant = is_name(name) ? settings::nearest(name, names) : "";
      problems.add(at, fmt::format("found ${{{}}}, which is {}{}", name, is_name(name) ? "not set in the environment or an env file" : "no variable's name",
                                   meant.empty() ? "" : fmt::format("; did you mean ${{{}}}?", meant)));
    }
    i = close + 1;
  }
  return made;
}

}  // namespace

environment process_environment() {
  environment all;
  for (char** at = ::environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry(*at);
    const std::size_t equals = entry.find('=');
    if (equals != std::string_view::npos) all.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return all;
}

void read_env_files(const std::vector<std::string>& files, const settings::position& named_at, environment& into, settings::diagnostics& problems) {
  environment from_files;
  for (const std::string& file : files) read_env_file(file, named_at, from_files, problems);
  into.merge(from_files);  // keeps what is there
}

void interpolate(settings::node& from, const environment& with, settings::diagnostics& problems) {
  if (auto* text = std::get_if<std::string>(&from.value)) {
    if (text->contains('$')) *text = interpolated(*text, from.at, with, problems);
  } else if (auto* items = std::get_if<settings::array>(&from.value)) {
    for (settings::node& item : *items) interpolate(item, with, problems);
  } else if (auto* members = std::get_if<settings::table>(&from.value)) {
    for (auto& [key, m] : *members) interpolate(m.value.front(), with, problems);
  }
}

}  // namespace flipback::config
