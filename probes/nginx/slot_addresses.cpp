#include "probes/nginx/slot_addresses.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::nginx {

namespace {

constexpr std::string_view usual_port = "80";

struct host_and_port {
  std::string host;  ///< an address without brackets, or a name
  std::string port;  ///< empty: none is written
};

host_and_port parts_of(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end != std::string_view::npos) {
      const std::string_view after = text.substr(end + 1);
      return {std::string(text.substr(1, end - 1)), std::string(after.starts_with(':') ? after.substr(1) : "")};
    }
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {std::string(text), {}};
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

/// As nginx writes an address.
std::string written(const asio::ip::address& address, std::string_view port) {
  const std::string text = address.to_string();
  return address.is_v6() ? fmt::format("[{}]:{}", text, port) : fmt::format("{}:{}", text, port);
}

/// How an upstream's text may stand in the log; empty where only a look-up can tell.
std::vector<std::string> keys_of(const std::string& upstream) {
  if (upstream.starts_with("unix:")) return {upstream};
  auto [host, port] = parts_of(upstream);
  const std::string_view its = port.empty() ? usual_port : std::string_view(port);
  if (host == "localhost") return {fmt::format("127.0.0.1:{}", its), fmt::format("[::1]:{}", its), upstream};
  boost::system::error_code no_address;
  const auto address = asio::ip::make_address(host, no_address);
  return no_address ? std::vector{upstream} : std::vector{written(address, its)};
}

}  // namespace

slot_addresses::slot_addresses(std::span<const slot_upstreams> slots) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    for (const std::string& upstream : slots[i].upstreams) add(upstream, i);
  }
}

void slot_addresses::add(const std::string& upstream, std::size_t slot) {
  for (std::string& key : keys_of(upstream)) add_key(std::move(key), slot);
  boost::system::error_code no_address;
  auto [host, port] = parts_of(upstream);
  (void)asio::ip::make_address(host, no_address);
  if (!no_address || host == "localhost" || upstream.starts_with("unix:")) return;
  named_host name{.slot = slot, .host = std::move(host), .port = port.empty() ? std::string(usual_port) : std::move(port)};
  if (std::ranges::find(names_, name) == names_.end()) names_.push_back(std::move(name));
}

void slot_addresses::add_key(std::string key, std::size_t slot) {
  const auto [at, is_new] = known_.emplace(std::move(key), slot);
  if (!is_new && at->second != slot) at->second.reset();
}

void slot_addresses::learn(const std::vector<upstream_group>& groups) {
  groups_.clear();
  for (const upstream_group& group : groups) {
    if (const auto whose = group.is_block ? slot_of(group.name) : std::nullopt) {
      std::erase_if(names_, [&](const named_host& n) { return n.host == group.name; });
      for (const std::string& server : group.servers) add(server, *whose);
    }
  }
  std::map<std::string, owner, std::less<>> learned;
  for (const upstream_group& group : groups) {
    if (known_.contains(group.name) || group.servers.empty()) continue;
    owner whose = owner_of(group.servers.front());
    for (const std::string& server : group.servers) {
      const owner its = owner_of(server);
      if (its.slot != whose.slot) whose.slot.reset();
      whose.is_a_slots = whose.is_a_slots || its.is_a_slots;
    }
    if (whose.is_a_slots) learned.emplace(group.name, whose);
  }
  groups_ = std::move(learned);
}

asio::awaitable<void> slot_addresses::resolve(net::network& through, const slot_addresses* before) {
  std::vector<named_host> names = names_;  // what is waited for keeps no place in a list
  for (named_host& name : names) {
    if (name.found) continue;
    auto found = co_await through.resolve(name.host);
    name.found = found ? *std::move(found) : std::vector<asio::ip::address>{};
    if (!found && before != nullptr) {
      const auto was = std::ranges::find(before->names_, name);
      if (was != before->names_.end() && was->found) name.found = was->found;
    }
    for (const asio::ip::address& address : *name.found) add_key(written(address, name.port), name.slot);
  }
  names_ = std::move(names);
}

slot_addresses::owner slot_addresses::owner_of(std::string_view upstream) const {
  if (const auto at = known_.find(upstream); at != known_.end()) return {true, at->second};
  for (const std::string& key : keys_of(std::string(upstream))) {
    if (const auto at = known_.find(key); at != known_.end()) return {true, at->second};
  }
  const auto group = groups_.find(upstream);
  if (group == groups_.end()) return {};
  return believes_groups_ ? group->second : owner{true, std::nullopt};
}

}  // namespace flipback::nginx
