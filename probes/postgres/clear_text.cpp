#include "probes/postgres/clear_text.hpp"

namespace flipback::postgres {

namespace {

std::size_t number_in(std::string_view bytes) {
  std::size_t made = 0;
  for (const char c : bytes.substr(0, 4)) made = (made << 8U) | static_cast<unsigned char>(c);
  return made;
}

}  // namespace

/// All messages that are there, as libpq would go on from one to the next. Past the one that lets us in nothing sends a password.
greeting look_at(std::string_view bytes) {
  constexpr std::size_t head = 5;
  constexpr std::size_t longest = 2000;  // libpq's own bound for such a message
  constexpr std::size_t let_in = 0;
  constexpr std::size_t in_clear = 3;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::string_view rest = bytes.substr(at);
    if (rest[0] == 'E' && rest.size() >= head && rest.size() > number_in(rest.substr(1))) return {greeting::kind::harmless};  // its end
    if (rest[0] == 'E' && at == 0 && rest.size() >= head && number_in(rest.substr(1)) > longest) return {greeting::kind::harmless};
    if (rest[0] != 'E' && rest[0] != 'R' && rest[0] != 'N' && rest[0] != 'v') return {greeting::kind::odd};
    if (rest.size() < head) return {greeting::kind::incomplete, at + shortest_request};
    const std::size_t length = number_in(rest.substr(1)) + 1;
    if (length < head || length > longest || (rest[0] == 'R' && length < shortest_request)) return {greeting::kind::odd};
    if (rest[0] == 'R' && rest.size() >= shortest_request) {
      const std::size_t kind = number_in(rest.substr(head));
      if (kind == in_clear) return {greeting::kind::asks_in_clear};
      if (kind == let_in) return {greeting::kind::harmless};
    }
    if (rest.size() < length) return {greeting::kind::incomplete, at + length};
    at += length;
  }
  return {greeting::kind::harmless};
}

}  // namespace flipback::postgres
