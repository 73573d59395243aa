#pragma once

#include "flipback/probe.hpp"

#include "probes/net/network.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::nginx {

/// Which slot an upstream's name in nginx's log is of: "127.0.0.1:8000", "[::1]:8000", "unix:/run/api.sock", or the name of an upstream
/// group, which nginx logs where no server of it was up.
class slot_addresses {
 public:
  /// Whose an upstream is. One that several slots claim, or a group with servers of several, is a slot's, and nobody can tell which one's.
  struct owner {
    bool is_a_slots = false;
    std::optional<std::size_t> slot;  ///< by its place in the configuration's order
    friend bool operator==(const owner&, const owner&) = default;
  };

  /// From the slots' `upstreams`; "localhost:8000" is both addresses of this host.
  explicit slot_addresses(std::span<const slot_upstreams> slots);

  /// Takes in nginx's upstream groups: one whose servers are all of one slot is of that slot, and the block that a slot names has its
  /// servers. To be called again once names were looked up: then a server is known by its address, too.
  void learn(const std::vector<upstream_group>& groups);
  /// Looks up the hosts, not asked for yet, that the slots' upstreams have names for: nginx logs their addresses. One that is not found now
  /// has those that it had `before`, if that knows of any.
  asio::awaitable<void> resolve(net::network& through, const slot_addresses* before = nullptr);

  [[nodiscard]] bool has_names() const { return !names_.empty(); }

  /// Groups' names that were learned are of the configuration that was read: while nginx may run another, they are to tell no slot.
  void believe_groups(bool are_nginxs) { believes_groups_ = are_nginxs; }
  [[nodiscard]] bool has_same_groups(const slot_addresses& other) const { return groups_ == other.groups_; }
  [[nodiscard]] bool has_groups() const { return !groups_.empty(); }

  [[nodiscard]] owner owner_of(std::string_view upstream) const;
  [[nodiscard]] std::optional<std::size_t> slot_of(std::string_view upstream) const { return owner_of(upstream).slot; }

 private:
  struct named_host {
    std::size_t slot = 0;
    std::string host;
    std::string port;
    std::optional<std::vector<asio::ip::address>> found{};  ///< nothing: not asked for yet
    friend bool operator==(const named_host& one, const named_host& other) {
      return one.slot == other.slot && one.host == other.host && one.port == other.port;
    }
  };
  void add(const std::string& upstream, std::size_t slot);
  void add_key(std::string key, std::size_t slot);

  std::map<std::string, std::optional<std::size_t>, std::less<>> known_;
  std::map<std::string, owner, std::less<>> groups_;  ///< by their servers
  bool believes_groups_ = true;
  std::vector<named_host> names_;
};

}  // namespace flipback::nginx
