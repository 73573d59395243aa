#include "agent/notify/targets/cut.hpp"

#include "flipback/utf8.hpp"

#include <algorithm>

namespace flipback::notify {

std::string cut(std::string_view text, std::size_t most) {
  constexpr std::string_view ending = "…";
  std::string whole = well_formed(text);
  if (whole.size() <= most) return whole;
  std::size_t size = most - std::min(most, ending.size());
  while (size > 0 && (static_cast<unsigned char>(whole[size]) & 0xC0U) == 0x80U) --size;
  whole.resize(size);
  return whole + std::string(ending);
}

}  // namespace flipback::notify
