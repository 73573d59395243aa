#pragma once

#include "agent/config/configuration.hpp"
#include "agent/deployment/slots.hpp"
#include "agent/rollback/nginx_configuration.hpp"
#include "probes/net/network.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::deployment {

/// Which slot an upstream's name in nginx's log is of: "127.0.0.1:8000", "[::1]:8000", "unix:/run/api.sock", or the name of an upstream
/// group, which nginx logs where no server of it was up. What two slots claim is of neither.
class slot_addresses {
 public:
  /// From the slots' `upstreams`; "localhost:8000" is both addresses of this host.
  explicit slot_addresses(const std::vector<config::slot>& slots);

  /// Takes in nginx's upstream groups: one whose servers are all of one slot is of that slot, and a slot's own group has its servers.
  void learn(const std::vector<rollback::upstream_group>& groups);
  /// Looks up the hosts that the slots' upstreams have names for: nginx logs their addresses. One that is not found is passed over.
  asio::awaitable<void> resolve(net::network& through);

  [[nodiscard]] std::optional<slot_number> slot_of(std::string_view upstream) const;

 private:
  struct named_host {
    slot_number slot = 0;
    std::string host;
    std::string port;
  };
  void add(const std::string& upstream, slot_number slot);

  std::map<std::string, std::optional<slot_number>, std::less<>> known_;
  std::vector<named_host> names_;
};

}  // namespace flipback::deployment
