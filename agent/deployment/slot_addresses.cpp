#include "agent/deployment/slot_addresses.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <utility>

namespace flipback::deployment {

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

slot_addresses::slot_addresses(const std::vector<config::slot>& slots) {
  for (slot_number i = 0; i < slots.size(); ++i) {
    for (const std::string& upstream : slots[i].upstreams) {
      add(upstream, i);
      boost::system::error_code no_address;
      auto [host, port] = parts_of(upstream);
      (void)asio::ip::make_address(host, no_address);
      if (no_address && host != "localhost" && !upstream.starts_with("unix:"))
        names_.push_back({i, std::move(host), port.empty() ? std::string(usual_port) : std::move(port)});
    }
  }
}

void slot_addresses::add(const std::string& upstream, slot_number slot) {
  for (std::string& key : keys_of(upstream)) {
    const auto [at, is_new] = known_.emplace(std::move(key), slot);
    if (!is_new && at->second != slot) at->second.reset();
  }
}

void slot_addresses::learn(const std::vector<rollback::upstream_group>& groups) {
  for (const rollback::upstream_group& group : groups) {
    if (const auto whose = slot_of(group.name)) {
      for (const rollback::upstream_server& server : group.servers) add(server.address, *whose);
      continue;
    }
    if (known_.contains(group.name) || group.servers.empty()) continue;
    const auto whose = slot_of(group.servers.front().address);
    bool all_its = whose.has_value();
    for (const rollback::upstream_server& server : group.servers) all_its = all_its && slot_of(server.address) == whose;
    if (all_its) known_.emplace(group.name, whose);
  }
}

asio::awaitable<void> slot_addresses::resolve(net::network& through) {
  for (const named_host& name : names_) {
    const auto found = co_await through.resolve(name.host);
    if (!found) continue;
    for (const asio::ip::address& address : *found) add(written(address, name.port), name.slot);
  }
}

std::optional<slot_number> slot_addresses::slot_of(std::string_view upstream) const {
  if (const auto at = known_.find(upstream); at != known_.end()) return at->second;
  for (const std::string& key : keys_of(std::string(upstream))) {
    if (const auto at = known_.find(key); at != known_.end()) return at->second;
  }
  return std::nullopt;
}

}  // namespace flipback::deployment
