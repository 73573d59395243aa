#include "agent/init/toml_text.hpp"

#include "flipback/one_line.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::init {

namespace {

/// Takes the first line.
std::string_view next_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

void fold(std::string_view line, std::string& into) {
  constexpr std::size_t width = 120;
  while (line.size() > width) {
    std::size_t at = line.rfind(' ', width);
    if (at == std::string_view::npos || at == 0) at = line.find(' ', width);
    if (at == std::string_view::npos) break;
    into += fmt::format("# {}\n", line.substr(0, at));
    line.remove_prefix(at + 1);
  }
  into += line.empty() ? "#\n" : fmt::format("# {}\n", line);
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '"' || c == '\\')
      (made += '\\') += text[i];
    else if (c < 0x20 || c == 0x7F)
      made += fmt::format("\\u{:04X}", c);
    else if (c == '$' && (next == '{' || next == '$'))
      made += "$$";
    else
      made += text[i];
  }
  return made;
}

std::string in_toml(std::string_view text) {
  return '"' + escaped(text) + '"';
}

std::string as_comment(std::string_view text) {
  std::string made;
  while (!text.empty()) fold(one_line(next_line(text)), made);
  return made;
}

std::string switched_off(std::string_view toml) {
  std::string made;
  while (!toml.empty()) {
    const std::string line = one_line(next_line(toml));
    made += line.empty() ? "#\n" : fmt::format("# {}\n", line);
  }
  return made;
}

}  // namespace flipback::init
