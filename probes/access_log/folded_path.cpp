#include "probes/access_log/folded_path.hpp"

#include <algorithm>
#include <cstddef>

namespace flipback::access_log {

namespace {

constexpr std::size_t longest = 200;
constexpr std::size_t shortest_hex = 6;
constexpr std::size_t shortest_id = 12;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_number_or_id(std::string_view segment) {
  const auto digits = std::ranges::count_if(segment, is_digit);
  if (digits == 0) return false;
  if (std::ranges::none_of(segment, is_letter)) return true;
  if (segment.size() >= shortest_hex && std::ranges::all_of(segment, [](char c) { return is_hex(c) || c == '-'; })) return true;
  return segment.size() >= shortest_id && digits >= 2;
}

}  // namespace

std::string folded(std::string_view path) {
  path = path.substr(0, longest);
  std::string made;
  made.reserve(path.size());
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    made += is_number_or_id(segment) ? std::string_view("*") : segment;
    path.remove_prefix(segment.size());
    if (path.empty()) break;
    made += '/';
    path.remove_prefix(1);
  }
  return made;
}

}  // namespace flipback::access_log
