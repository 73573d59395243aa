#include "agent/config/stable_twins.hpp"

#include "probes/net/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace flipback::config {

namespace {

std::string* text_of(settings::node& table, std::string_view key) {
  auto* members = std::get_if<settings::table>(&table.value);
  if (members == nullptr) return nullptr;
  const auto at = members->find(key);
  return at == members->end() ? nullptr : std::get_if<std::string>(&at->second.value.front().value);
}

/// Where users come in, by address and by name.
struct entrance {
  explicit entrance(const deployment& in) : door(net::parse_url(in.front_door.url)), host(in.front_door.host) {
    if (host.empty() && door) host = to_string(door->to);
  }
  [[nodiscard]] bool is(const net::url& asked) const {
    return door && (net::same_place(asked, *door) || asked.to.host == host.substr(0, host.find(':')));
  }
  std::expected<net::url, std::string> door;
  std::string host;  ///< under which users ask: an application may look at it
};

/// The slot's own URL in the front door's place. What leads elsewhere (an identity provider in a journey) stays.
bool aim(settings::node& table, const entrance& door, const std::string& slot_url) {
  std::string* const text = text_of(table, "url");
  const auto asked = text != nullptr ? net::parse_url(*text) : std::unexpected(std::string());
  if (!asked || !door.is(*asked)) return false;
  *text = slot_url.substr(0, slot_url.find_last_not_of('/') + 1) + asked->target;
  return true;
}

settings::node aimed_at(const slot& to, const settings::node& table, const deployment& in) {
  settings::node made = table;
  const entrance door(in);
  aim(made, door, to.url);
  auto& members = std::get<settings::table>(made.value);
  if (!members.contains("host")) {
    settings::node host;
    host.value = door.host;
    members.emplace("host", settings::member{{}, {std::move(host)}});
  }
  if (const auto steps = members.find("steps"); steps != members.end()) {
    if (auto* each = std::get_if<settings::array>(&steps->second.value.front().value)) {
      for (settings::node& step : *each) aim(step, door, to.url);
    }
  }
  return made;
}

/// Whichever is live, or one of them past nginx.
bool asks_a_slot(const probe_entry& p, const configuration& of) {
  settings::node table = p.table;
  const std::string* const text = text_of(table, "url");
  const auto asked = text != nullptr ? net::parse_url(*text) : std::unexpected(std::string());
  if (!asked) return false;
  const auto is_at = [&](const slot& s) {
    const auto own = net::parse_url(s.url);
    return own && net::same_place(*asked, *own);
  };
  return entrance(*of.deployment).is(*asked) || std::ranges::any_of(of.slots, is_at);
}

}  // namespace

std::optional<std::string> unfit_to_be_critical(const probe_entry& of, const deployment& in) {
  const entrance door(in);
  if (!door.door) return std::nullopt;  // reported where it stands
  settings::node table = of.table;
  if ((of.type == "http" || of.type == "journey") && aim(table, door, "http://slot")) return std::nullopt;
  return fmt::format(
      "found true, so that a rollback may rest on it, but it does not go through a slot; expected an http or journey probe "
      "whose url is at {}, the front door's",
      to_string(door.door->to));
}

void add_stable_twins(configuration& to) {
  if (!to.deployment) return;
  std::vector<probe_entry> twins;
  for (probe_entry& p : to.probes) {
    p.shared = p.type != "access_log" && !asks_a_slot(p, to);
    if (!p.critical) continue;
    probe_entry twin = p;
    twin.name = p.name + ".stable";
    twin.critical = false;
    twin.table = {};
    for (const slot& s : to.slots) twin.at_slots.push_back(aimed_at(s, p.table, *to.deployment));
    twins.push_back(std::move(twin));
  }
  std::ranges::move(twins, std::back_inserter(to.probes));
}

}  // namespace flipback::config
