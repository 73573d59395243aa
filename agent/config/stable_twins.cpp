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

/// The slot's own URL in the front door's place. What leads elsewhere (an identity provider in a journey) stays.
bool aim(settings::node& table, const net::url& door, const std::string& slot_url) {
  std::string* const text = text_of(table, "url");
  const auto asked = text != nullptr ? net::parse_url(*text) : std::unexpected(std::string());
  if (!asked || !net::same_place(*asked, door)) return false;
  *text = slot_url.substr(0, slot_url.find_last_not_of('/') + 1) + asked->target;
  return true;
}

/// The Host under which users ask: an application may look at it.
std::string host_of(const deployment& in, const net::url& door) {
  return in.front_door.host.empty() ? to_string(door.to) : in.front_door.host;
}

settings::node aimed_at(const slot& to, const settings::node& table, const deployment& in) {
  settings::node made = table;
  const net::url door = *net::parse_url(in.front_door.url);
  aim(made, door, to.url);
  auto& members = std::get<settings::table>(made.value);
  if (!members.contains("host")) {
    settings::node host;
    host.value = host_of(in, door);
    members.emplace("host", settings::member{{}, {std::move(host)}});
  }
  if (const auto steps = members.find("steps"); steps != members.end()) {
    if (auto* each = std::get_if<settings::array>(&steps->second.value.front().value)) {
      for (settings::node& step : *each) aim(step, door, to.url);
    }
  }
  return made;
}

}  // namespace

std::optional<std::string> unfit_to_be_critical(const probe_entry& of, const deployment& in) {
  const auto door = net::parse_url(in.front_door.url);
  if (!door) return std::nullopt;  // reported where it stands
  settings::node table = of.table;
  if ((of.type == "http" || of.type == "journey") && aim(table, *door, "http://slot")) return std::nullopt;
  return fmt::format(
      "found true, so that a rollback may rest on it, but it does not go through a slot; expected an http or journey probe "
      "whose url is at {}, the front door's",
      to_string(door->to));
}

void add_stable_twins(configuration& to) {
  if (!to.deployment) return;
  std::vector<probe_entry> twins;
  for (const probe_entry& p : to.probes) {
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
