#include "agent/serve/typed_here.hpp"

#include "flipback/as_typed.hpp"

#include "agent/config/configuration.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace flipback::serve {

std::string typed_here(std::string text, const std::string& socket) {
  constexpr std::string_view plain = "`flipback ";
  if (socket.empty() || socket == config::usual_socket || socket.find_first_of("\"\\") != std::string::npos) return text;
  const std::string whole = fmt::format("`flipback {} ", as_typed(std::array<std::string, 2>{"--socket", socket}));
  for (std::size_t at = text.find(plain); at != std::string::npos; at = text.find(plain, at + plain.size())) {
    if (text.compare(at, whole.size(), whole) == 0) continue;  // what is on record was written so already
    text.replace(at, plain.size(), whole);
  }
  return text;
}

}  // namespace flipback::serve
