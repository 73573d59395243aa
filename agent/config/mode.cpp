#include "agent/config/mode.hpp"

#include <array>

namespace flipback::config {

std::string_view name_of(switch_kind k) {
  constexpr std::array<std::string_view, 4> names{"site", "text", "link", "command"};
  return names.at(static_cast<std::size_t>(k));
}

std::string_view name_of(reload_kind k) {
  constexpr std::array<std::string_view, 4> names{"signal", "systemd", "command", "docker"};
  return names.at(static_cast<std::size_t>(k));
}

}  // namespace flipback::config
