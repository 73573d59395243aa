#include "flipback/one_line.hpp"

#include "flipback/utf8.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

namespace flipback {

namespace {

/// The number of a well-formed character.
char32_t number_of(std::string_view character) {
  constexpr unsigned from_each = 6;  // bits of a byte that follows
  constexpr unsigned of_following = 0x3F;
  const auto first = static_cast<unsigned char>(character.front());
  const auto bits_of_first = character.size() == 1 ? 0x7FU : 0xFFU >> (character.size() + 1);
  char32_t number = first & bits_of_first;
  for (const char c : character.substr(1)) number = (number << from_each) | (static_cast<unsigned char>(c) & of_following);
  return number;
}

bool is_control(char32_t c) {
  const auto from_to = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  const bool turns = c == 0x061C || from_to(0x200E, 0x200F) || from_to(0x202A, 0x202E) || from_to(0x2066, 0x2069);
  const bool separates = from_to(0x2028, 0x2029);
  const bool is_invisible =
      c == 0x00AD || c == 0x180E || c == 0x200B || c == 0xFEFF || from_to(0x2060, 0x2064) || from_to(0xE0000, 0xE007F);
  return c < 0x20 || from_to(0x7F, 0x9F) || turns || separates || is_invisible;
}

std::string written_out(char32_t c) {
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  const auto number = static_cast<unsigned>(c);
  if (c > 0xFFFF) return fmt::format("\\U{:08x}", number);
  return c < 0x80 ? fmt::format("\\x{:02x}", number) : fmt::format("\\u{:04x}", number);
}

/// JSON escapes what does not fit into four digits as a surrogate pair (RFC 8259, section 7).
std::string written_in_json(char32_t c) {
  const auto number = static_cast<unsigned>(c);
  if (c <= 0xFFFF) return fmt::format("\\u{:04x}", number);
  const unsigned above = number - 0x10000;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (above >> 10U), 0xDC00 + (above & 0x3FFU));
}

enum class goes_to : std::uint8_t { line, lines, json };

std::string safe(std::string_view text, goes_to where) {
  std::string made;
  made.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = utf8_character_size(text);
    if (size == 0) {
      if (where == goes_to::json)
        made += "\\ufffd";
      else
        fmt::format_to(std::back_inserter(made), "\\x{:02x}", static_cast<unsigned char>(text.front()));
      text.remove_prefix(1);
      continue;
    }
    const std::string_view character = text.substr(0, size);
    if (is_control(number_of(character)) && !(where != goes_to::line && character == "\n"))
      made += where == goes_to::json ? written_in_json(number_of(character)) : written_out(number_of(character));
    else
      made += character;
    text.remove_prefix(size);
  }
  return made;
}

}  // namespace

bool is_control(std::string_view character) {
  return is_control(number_of(character));
}

std::string one_line(std::string_view outside) {
  return safe(outside, goes_to::line);
}

std::string escaped_json(std::string_view json) {
  return safe(json, goes_to::json);
}

std::string whole_lines(std::string_view text) {
  return safe(text, goes_to::lines);
}

}  // namespace flipback
