#pragma once

#include "agent/config/environment.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::init {

/// A port, or several in a row that a range publishes one for one.
struct published_port {
  std::uint16_t target = 0;  ///< in the container, the first; 0: not told
  std::uint16_t size = 1;    ///< how many there are
  std::string address;       ///< where this host reaches it: "127.0.0.1" for all of its addresses
  std::uint16_t port = 0;    ///< on this host, the first; 0: not told
  std::string why_untold;    ///< of a port that is not told, which goes on "publishes it ": "at a port that Docker chooses"
};

struct compose_service {
  std::string name;
  std::string image;  ///< with its registry and tag
  std::vector<published_port> ports;
  bool is_on_hosts_network = false;

  /// Where this host reaches a port of the container: one that is told before one that is not. Null: it publishes none such.
  [[nodiscard]] const published_port* publishing(std::uint16_t target) const;
};

/// The services of a docker-compose file (compose-spec: `services`, `image`, `ports` in both forms, with ranges, `<<`). Variables in it are
/// filled in from `known`; a port that depends on another is not told. An error goes on a sentence about the file: "is no YAML: …".
std::expected<std::vector<compose_service>, std::string> compose_services(std::string_view text, const config::environment& known);

}  // namespace flipback::init
