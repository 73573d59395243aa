#pragma once

#include "agent/config/configuration.hpp"
#include "agent/deployment/slots.hpp"
#include "agent/rollback/nginx_configuration.hpp"
#include "probes/net/network.hpp"

#include <boost/asio/ip/address.hpp>

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

  /// Takes in nginx's upstream groups: one whose servers are all of one slot is of that slot, and a slot's own group has its servers. To be
  /// called again once names were looked up: then a server is known by its address, too.
  void learn(const std::vector<rollback::upstream_group>& groups);
  /// Looks up the hosts, not asked for yet, that the slots' upstreams have names for: nginx logs their addresses. One that is not found now
  /// has those that it had `before`, if that knows of any.
  asio::awaitable<void> resolve(net::network& through, const slot_addresses* before = nullptr);

  /// Groups' names that were learned are of the configuration that was read: while nginx may run another, they are to tell no slot.
  void believe_groups(bool are_nginxs) { believes_groups_ = are_nginxs; }
  [[nodiscard]] bool has_same_groups(const slot_addresses& other) const { return groups_ == other.groups_; }
  [[nodiscard]] bool has_groups() const { return !groups_.empty(); }

  [[nodiscard]] std::optional<slot_number> slot_of(std::string_view upstream) const;

 private:
  struct named_host {
    slot_number slot = 0;
    std::string host;
    std::string port;
    std::optional<std::vector<asio::ip::address>> found{};  ///< nothing: not asked for yet
    friend bool operator==(const named_host& one, const named_host& other) {
      return one.slot == other.slot && one.host == other.host && one.port == other.port;
    }
  };
  void add(const std::string& upstream, slot_number slot);
  void add_key(std::string key, slot_number slot);

  std::map<std::string, std::optional<slot_number>, std::less<>> known_;
  std::map<std::string, slot_number, std::less<>> groups_;  ///< by their servers
  bool believes_groups_ = true;
  std::vector<named_host> names_;
};

}  // namespace flipback::deployment
