#include "flipback/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace flipback {

std::size_t utf8_character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) { return byte(i) >= low && byte(i) <= high; };
  if (text.empty()) return 0;
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) return follows(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && follows(2) ? 3 : 0;
  if (first >= 0xF0 && first <= 0xF4)
    return follows(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) && follows(2) && follows(3) ? 4 : 0;
  return 0;
}

std::size_t first_malformed(std::string_view text) {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  std::size_t at = 0;
  while (at < text.size()) {
    // Nearly all of it is ASCII: eight bytes at a time.
    std::uint64_t eight = high_bits;
    if (text.size() - at >= sizeof eight) std::memcpy(&eight, text.data() + at, sizeof eight);
    if ((eight & high_bits) == 0) {
      at += sizeof eight;
      continue;
    }
    const std::size_t size = utf8_character_size(text.substr(at));
    if (size == 0) return at;
    at += size;
  }
  return at;
}

std::string well_formed(std::string_view text) {
  std::string made;
  for (;;) {
    const std::size_t malformed = first_malformed(text);
    made += text.substr(0, malformed);
    if (malformed == text.size()) return made;
    made += "\uFFFD";
    text.remove_prefix(malformed + 1);
  }
}

}  // namespace flipback
