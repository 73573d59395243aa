#pragma once

#include "agent/config/environment.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::init {

struct published_port {
  std::uint16_t target = 0;  ///< in the container
  std::string address;       ///< where this host reaches it: "127.0.0.1" for all of its addresses
  std::uint16_t port = 0;
};

struct compose_service {
  std::string name;
  std::string image;  ///< with its registry and tag
  std::vector<published_port> ports;
  bool is_on_hosts_network = false;
};

/// The services of a docker-compose file (compose-spec: `services`, `image`, `ports` in both forms, `<<`). Variables in it are filled in
/// from `known`; what depends on another is left out. An error goes on a sentence about the file: "is no YAML: …".
std::expected<std::vector<compose_service>, std::string> compose_services(std::string_view text, const config::environment& known);

}  // namespace flipback::init
