#include "agent/config/slot_twins.hpp"

#include "probes/net/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace flipback::config {

namespace {

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

std::optional<net::url> url_in(const settings::node& table) {
  const auto* members = std::get_if<settings::table>(&table.value);
  if (members == nullptr || !members->contains("url")) return std::nullopt;
  const auto* text = std::get_if<std::string>(&members->find("url")->second.value.front().value);
  if (text == nullptr) return std::nullopt;
  auto parsed = net::parse_url(*text);
  return parsed ? std::optional(std::move(*parsed)) : std::nullopt;
}

/// The slot's own URL in the front door's place. What leads elsewhere (an identity provider in a journey) stays.
void aim(settings::node& table, const entrance& door, const std::string& slot_url) {
  const auto asked = url_in(table);
  if (!asked || !door.is(*asked)) return;
  std::get<settings::table>(table.value).at("url").value.front().value =
      slot_url.substr(0, slot_url.find_last_not_of('/') + 1) + asked->target;
}

/// Past nginx.
bool asks(const slot& s, const probe_entry& p) {
  const auto asked = url_in(p.table);
  const auto own = net::parse_url(s.url);
  return asked && own && net::same_place(*asked, *own);
}

/// Whichever is live, or one of them past nginx; or what users asked of them.
bool tells_of_a_slot(const probe_entry& p, const configuration& of) {
  const auto asked = url_in(p.table);
  const bool through_the_door = asked && entrance(*of.deployment).is(*asked);
  return p.type == "access_log" || through_the_door || std::ranges::any_of(of.slots, [&](const slot& s) { return asks(s, p); });
}

}  // namespace

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

std::optional<std::string> unfit_to_be_critical(const probe_entry& of, const deployment& in) {
  const entrance door(in);
  if (!door.door) return std::nullopt;  // reported where it stands
  const auto asked = url_in(of.table);
  if ((of.type == "http" || of.type == "journey") && asked && door.is(*asked)) return std::nullopt;
  return fmt::format(
      "found true, so that a rollback may rest on it, but it does not go through a slot; expected an http or journey probe "
      "whose url is at {}, the front door's",
      to_string(door.door->to));
}

void narrow_to(const slot& only, configuration& to) {
  const auto tells_of_another = [&](const probe_entry& p) {
    const bool is_its_check = std::ranges::find(only.checks, p.name) != only.checks.end();
    return !is_its_check && !asks(only, p) && tells_of_a_slot(p, to);
  };
  for (probe_entry& p : to.probes) {
    if (!unfit_to_be_critical(p, *to.deployment)) p.table = aimed_at(only, p.table, *to.deployment);
  }
  std::erase_if(to.probes, tells_of_another);
}

void add_slot_twins(configuration& to) {
  if (!to.deployment) return;
  std::vector<probe_entry> twins;
  for (probe_entry& p : to.probes) {
    p.shared = !tells_of_a_slot(p, to);
    if (!p.critical) continue;
    for (const slot_role asked : {slot_role::live, slot_role::stable}) {
      probe_entry twin = p;
      twin.name = fmt::format("{}.{}", p.name, name_of(asked));
      twin.critical = false;
      twin.table = {};
      twin.asked = asked;
      for (const slot& s : to.slots) twin.at_slots.push_back(aimed_at(s, p.table, *to.deployment));
      twins.push_back(std::move(twin));
    }
  }
  std::ranges::move(twins, std::back_inserter(to.probes));
}

}  // namespace flipback::config
