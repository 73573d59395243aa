#include "agent/init/find_switch.hpp"

#include "agent/init/find_files.hpp"
#include "agent/init/find_text.hpp"
#include "agent/init/layout.hpp"
#include "agent/init/pairs.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace flipback::init {

namespace {

using all_found = std::vector<switch_seen>;

/// Blue comes first; without names the lower address is blue's.
void put_in_order(switch_seen& found) {
  auto& [one, other] = found.slots;
  if (one.name.empty()) {
    const bool is_first = std::pair(one.addresses.size(), one.addresses) <= std::pair(other.addresses.size(), other.addresses);
    one.name = is_first ? "blue" : "green";
    other.name = is_first ? "green" : "blue";
  }
  if (one.name == "green") std::swap(one, other);
}

/// Where each has the other's servers too, as a backup or for a share of the users, its own is the one that it names first.
void keep_own_servers(switch_seen& found) {
  auto& [one, other] = found.slots;
  if (!share_any(one.addresses, other.addresses) || one.addresses.empty() || other.addresses.empty() ||
      one.addresses.front() == other.addresses.front())
    return;
  one.addresses.resize(1);
  other.addresses.resize(1);
}

std::optional<std::string> why_no_slots(const switch_seen& found) {
  const auto& [one, other] = found.slots;
  for (const slot_seen* slot : {&one, &other}) {
    if (slot->addresses.empty()) return found.says + " But where " + slot->name + "'s requests are passed on to can't be told.";
  }
  if (one.addresses == other.addresses) return found.says + " But both pass requests on to the same servers.";
  return std::nullopt;
}

/// Whether two ways have found one thing: a live file of both, and servers of both.
bool is_same(const switch_seen& one, const switch_seen& other) {
  const bool is_one_file = std::ranges::any_of(one.live, [&](const std::string& a) {
    return std::ranges::any_of(other.live, [&](const std::string& b) { return is_at_or_below(a, b) || is_at_or_below(b, a); });
  });
  const auto servers = [](const switch_seen& s) {
    std::vector<std::string> all = s.slots[0].addresses;
    all.insert(all.end(), s.slots[1].addresses.begin(), s.slots[1].addresses.end());
    return all;
  };
  const std::vector<std::string> its = servers(one);
  const std::vector<std::string> others = servers(other);
  return is_one_file && (its.empty() || others.empty() || share_any(its, others));
}

/// In order, each thing once; what shows no two slots stays, since it is said, and takes the place of nothing that does.
all_found all_in(const layout& of) {
  all_found all;
  for (const auto& way : {by_link, by_site, by_include, by_pool, by_address, by_near_site}) {
    for (switch_seen& found : way(of)) {
      put_in_order(found);
      keep_own_servers(found);
      const bool has_no_slots = why_no_slots(found).has_value();
      const auto is_found_again = [&](const switch_seen& known) { return is_same(known, found) && (has_no_slots || !why_no_slots(known)); };
      if (std::ranges::none_of(all, is_found_again)) all.push_back(std::move(found));
    }
  }
  return all;
}

}  // namespace

std::expected<switch_seen, std::string> find_switch(const nginx_seen& nginx, const rollback::nginx_configuration& read) {
  all_found all = all_in(layout(nginx, read));
  const auto taken = std::ranges::find_if(all, [](const switch_seen& found) { return !why_no_slots(found); });
  if (taken != all.end()) {
    switch_seen made = std::move(*taken);
    all.erase(taken);
    for (const switch_seen& other : all) {
      if (!is_same(made, other)) made.left.push_back(why_no_slots(other).value_or(other.says));
    }
    return made;
  }
  if (!all.empty()) return std::unexpected(*why_no_slots(all.front()));
  return std::unexpected(
      "nothing in nginx's configuration shows two slots: no link, site file, include or upstream that has a twin named blue or green or "
      "with another port, and no commented-out server beside the one in use");
}

}  // namespace flipback::init
