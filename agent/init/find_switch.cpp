#include "agent/init/find_switch.hpp"

#include "agent/init/find_text.hpp"
#include "agent/init/layout.hpp"
#include "agent/init/nginx_sites.hpp"
#include "agent/init/pairs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

namespace flipback::init {

namespace {

using config::switch_kind;
using found_or_not = std::optional<switch_seen>;

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
  const bool share = std::ranges::find_first_of(one.addresses, other.addresses) != one.addresses.end();
  if (!share || one.addresses.empty() || other.addresses.empty() || one.addresses.front() == other.addresses.front()) return;
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

void add_site(switch_seen& to, const std::string& live, const text_file& one, const text_file& other) {
  to.live.push_back(live);
  to.slots[0].sites.push_back(one.path);
  to.slots[1].sites.push_back(other.path);
}

found_or_not by_link(const layout& of) {
  for (const link& l : of.links()) {
    const std::string place = seen_from(folder_of(l.path), l.target);
    std::string other_target = counterpart(l.target).value_or("");
    std::string name = slot_in(l.target);
    std::string others_name = slot_in(other_target);
    std::string other_text = other_target.empty() ? "" : of.text_at(seen_from(folder_of(l.path), other_target));
    if (other_text.empty()) {
      const auto at = std::ranges::find(of.beside(), place, &text_file::path);
      const layout::pair_of_files pair = at == of.beside().end() ? layout::pair_of_files{} : of.twin_of(*at);
      if (pair.other == nullptr) continue;
      other_target = (std::filesystem::path(l.target).parent_path() / std::filesystem::path(pair.other->path).filename()).string();
      other_text = pair.other->text;
      name = pair.name;
      others_name = pair.others_name;
    }
    switch_seen found{.kind = switch_kind::link, .live = {l.path}};
    found.slots = {of.slot_with(name, of.text_at(place)), of.slot_with(others_name, other_text)};
    found.slots[0].target = l.target;
    found.slots[1].target = other_target;
    found.says = fmt::format("A link: {} leads to {}, and {} is there too.", l.path, l.target, other_target);
    return found;
  }
  return std::nullopt;
}

found_or_not by_site(const layout& of) {
  switch_seen found{.kind = switch_kind::site};
  std::array<std::string, 2> texts;
  for (std::size_t i = 1; i < of.files().size(); ++i) {
    const nginx::dumped_file& live = of.files()[i];
    if (of.is_linked(live.path)) continue;
    for (const text_file& file : of.unread()) {
      if (!say_the_same(file.text, live.text)) continue;
      const layout::pair_of_files pair = of.twin_of(file);
      const bool is_others = !found.live.empty() && found.slots[0].name != pair.name;  // named in another way than the first
      if (pair.other == nullptr || is_others) continue;
      add_site(found, live.path, file, *pair.other);
      found.slots[0].name = pair.name;
      found.slots[1].name = pair.others_name;
      texts[0] += file.text + "\n";
      texts[1] += pair.other->text + "\n";
      found.says += fmt::format("{}A site file: {} says what {} says, and {} is beside that.", found.says.empty() ? "" : " ", live.path,
                                file.path, pair.other->path);
      break;
    }
  }
  if (found.live.empty()) return std::nullopt;
  for (std::size_t i = 0; i < 2; ++i) found.slots.at(i).addresses = of.slot_with("", texts.at(i)).addresses;
  return found;
}

/// A live file that a person has edited: it says neither slot's, and leads where one of them does.
found_or_not by_near_site(const layout& of) {
  for (std::size_t i = 1; i < of.files().size(); ++i) {
    const nginx::dumped_file& live = of.files()[i];
    const std::vector<std::string> now = addresses_in(live.text, of.read());
    if (of.is_linked(live.path) || now.empty()) continue;
    for (const text_file& file : of.unread()) {
      const std::string name = slot_in(file.path);
      const layout::pair_of_files pair = name.empty() ? layout::pair_of_files{} : of.twin_of(file);
      if (pair.other == nullptr || pair.name.empty()) continue;
      switch_seen found{.kind = switch_kind::site};
      found.slots = {of.slot_with(pair.name, file.text), of.slot_with(pair.others_name, pair.other->text)};
      if (found.slots[0].addresses != now) continue;
      add_site(found, live.path, file, *pair.other);
      found.says = fmt::format("A site file: {} leads where {} does, and {} is beside that.", live.path, file.path, pair.other->path);
      found.doubt = fmt::format(
          "{} says neither what {} says, nor what {} does, byte for byte: until one of them is copied there the switch "
          "names no slot.",
          live.path, file.path, pair.other->path);
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace

std::expected<switch_seen, std::string> find_switch(const nginx_seen& nginx, const rollback::nginx_configuration& read) {
  const layout of(nginx, read);
  for (const auto& way : {by_link, by_site, by_include, by_pool, by_address, by_near_site}) {
    found_or_not found = way(of);
    if (!found) continue;
    put_in_order(*found);
    keep_own_servers(*found);
    if (auto why = why_no_slots(*found)) return std::unexpected(*std::move(why));
    return *std::move(found);
  }
  return std::unexpected(
      "nothing in nginx's configuration shows two slots: no link, site file, include or upstream that has a twin named blue or green or "
      "with "
      "another port, and no commented-out server beside the one in use");
}

}  // namespace flipback::init
