#include "agent/init/find_files.hpp"

#include "agent/init/nginx_sites.hpp"
#include "agent/init/pairs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>

namespace flipback::init {

namespace {

using config::switch_kind;
using all_found = std::vector<switch_seen>;

void add_site(switch_seen& to, const std::string& live, const text_file& one, const text_file& other) {
  to.live.push_back(live);
  to.slots[0].sites.push_back(one.path);
  to.slots[1].sites.push_back(other.path);
}

/// The other end of a link, and the names of both; without one, `text` is empty.
struct other_end {
  std::string target;
  std::string text;
  std::string name;
  std::string others_name;
};

other_end other_end_of(const link& l, const std::string& place, const layout& of) {
  const std::string by_name = counterpart(l.target).value_or("");
  const std::string others_place = seen_from(folder_of(l.path), by_name);
  const std::string text = by_name.empty() ? "" : of.text_at(others_place);
  if (!text.empty()) {
    if (of.is_read(others_place)) return {};  // nginx has both: each is a site of its own, and this link only enables one
    return {by_name, text, slot_in(l.target), slot_in(by_name)};
  }
  const auto at = std::ranges::find(of.beside(), place, &text_file::path);
  const layout::pair_of_files pair = at == of.beside().end() ? layout::pair_of_files{} : of.twin_of(*at);
  if (pair.other == nullptr) return {};
  const std::filesystem::path folder = std::filesystem::path(l.target).parent_path();
  return {(folder / std::filesystem::path(pair.other->path).filename()).string(), pair.other->text, pair.name, pair.others_name};
}

}  // namespace

all_found by_link(const layout& of) {
  all_found all;
  for (const link& l : of.links()) {
    const std::string place = seen_from(folder_of(l.path), l.target);
    const other_end other = other_end_of(l, place, of);
    if (other.text.empty()) continue;
    switch_seen found{.kind = switch_kind::link, .live = {l.path}};
    found.slots = {of.slot_with(other.name, of.text_at(place)), of.slot_with(other.others_name, other.text)};
    found.slots[0].target = l.target;
    found.slots[1].target = other.target;
    found.says = fmt::format("A link: {} leads to {}, and {} is there too.", l.path, l.target, other.target);
    const std::string own_name = std::filesystem::path(l.path).filename().string();
    if (!slot_in(own_name).empty())
      found.doubt =
          fmt::format("{} is called after a slot itself: where a cutover makes another link in its place, it is no switch.", l.path);
    all.push_back(std::move(found));
  }
  return all;
}

namespace {

/// A live file and the file whose text it has, beside its twin.
struct live_pair {
  const nginx::dumped_file* live;
  const text_file* file;
  layout::pair_of_files twin;
  std::vector<std::string> addresses;  ///< of both
};

std::vector<live_pair> live_pairs_in(const layout& of) {
  std::vector<live_pair> all;
  for (std::size_t i = 1; i < of.files().size(); ++i) {
    const nginx::dumped_file& live = of.files()[i];
    if (of.is_linked(live.path)) continue;
    for (const text_file& file : of.unread()) {
      if (!say_the_same(file.text, live.text)) continue;
      const layout::pair_of_files twin = of.twin_of(file);
      if (twin.other == nullptr || of.is_live_beside(*twin.other, live.path)) continue;
      all.push_back({&live, &file, twin, of.slot_with("", file.text + "\n" + twin.other->text).addresses});
      break;
    }
  }
  return all;
}

/// Live files belong together where they are named in one way, and none leads elsewhere than the others.
bool belongs_to(const std::vector<live_pair>& group, const live_pair& pair) {
  if (group.front().twin.name != pair.twin.name) return false;
  return std::ranges::any_of(
      group, [&](const live_pair& p) { return p.addresses.empty() || pair.addresses.empty() || share_any(p.addresses, pair.addresses); });
}

switch_seen site_switch(const std::vector<live_pair>& group, const layout& of) {
  switch_seen found{.kind = switch_kind::site};
  std::array<std::string, 2> texts;
  for (const live_pair& pair : group) {
    add_site(found, pair.live->path, *pair.file, *pair.twin.other);
    texts[0] += pair.file->text + "\n";
    texts[1] += pair.twin.other->text + "\n";
    found.says += fmt::format("{}A site file: {} says what {} says, and {} is beside that.", found.says.empty() ? "" : " ", pair.live->path,
                              pair.file->path, pair.twin.other->path);
  }
  found.slots[0].name = group.front().twin.name;
  found.slots[1].name = group.front().twin.others_name;
  for (std::size_t i = 0; i < 2; ++i) found.slots.at(i).addresses = of.slot_with("", texts.at(i)).addresses;
  return found;
}

}  // namespace

all_found by_site(const layout& of) {
  std::vector<std::vector<live_pair>> groups;
  for (const live_pair& pair : live_pairs_in(of)) {
    const auto at = std::ranges::find_if(groups, [&](const std::vector<live_pair>& g) { return belongs_to(g, pair); });
    if (at == groups.end())
      groups.push_back({pair});
    else
      at->push_back(pair);
  }
  all_found all;
  for (const std::vector<live_pair>& group : groups) all.push_back(site_switch(group, of));
  return all;
}

all_found by_near_site(const layout& of) {
  all_found all;
  for (std::size_t i = 1; i < of.files().size(); ++i) {
    const nginx::dumped_file& live = of.files()[i];
    const std::vector<std::string> now = addresses_in(live.text, of.read());
    if (of.is_linked(live.path) || now.empty()) continue;
    for (const text_file& file : of.unread()) {
      const std::string name = slot_in(file.path);
      const layout::pair_of_files pair = name.empty() ? layout::pair_of_files{} : of.twin_of(file);
      if (pair.other == nullptr || pair.name.empty() || of.is_live_beside(*pair.other, live.path)) continue;
      switch_seen found{.kind = switch_kind::site};
      found.slots = {of.slot_with(pair.name, file.text), of.slot_with(pair.others_name, pair.other->text)};
      if (found.slots[0].addresses != now) continue;
      add_site(found, live.path, file, *pair.other);
      found.says = fmt::format("A site file: {} leads where {} does, and {} is beside that.", live.path, file.path, pair.other->path);
      found.doubt = fmt::format(
          "{} says neither what {} says, nor what {} does, byte for byte: until one of them is copied there the switch "
          "names no slot.",
          live.path, file.path, pair.other->path);
      all.push_back(std::move(found));
      break;
    }
  }
  return all;
}

}  // namespace flipback::init
