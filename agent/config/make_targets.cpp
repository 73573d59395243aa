#include "agent/config/make_targets.hpp"

#include "agent/config/read_notify.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace flipback::config {

namespace {

void report_no_such_type(const target_entry& entry, settings::section& table) {
  std::vector<std::string> types;
  for (const notify::target_kind& k : notify::target_kinds()) types.emplace_back(k.type);
  const std::string meant = settings::nearest(entry.type, types);
  table.report_here(
      fmt::format("found type = \"{}\", which is no type of target; {}", entry.type,
                  meant.empty() ? fmt::format("expected one of {}", fmt::join(types, ", ")) : fmt::format("did you mean \"{}\"?", meant)));
}

/// A target that would never be told of anything is a mistake.
void report_what_is_never_told(const target_entry& entry, const notify::target& to, const notify::manners& how, settings::section& table) {
  using notify::subject;
  constexpr std::array all{subject::incident, subject::alerts, subject::notice, subject::cutover};  // as `subjects`
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (std::ranges::find(entry.about, subjects.at(i)) != entry.about.end() && !to.takes(all.at(i)))
      table.report_here(fmt::format("about: found \"{}\", of which {} can't be told", subjects.at(i), entry.type));
  }
  if (entry.level > how.escalate_after.size() + 1)
    table.report_here(fmt::format("level: found {}, but [notify] escalate_after has {} of the {} times that lead there", entry.level,
                                  how.escalate_after.size(), entry.level - 1));
}

/// Null: there is none.
const target_entry* lowest_of(const std::vector<target_entry>& all) {
  const auto found = std::ranges::min_element(all, {}, &target_entry::level);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::vector<made_target> make_targets(const configuration& from, net::network& through, settings::diagnostics& problems) {
  std::vector<made_target> made;
  for (const target_entry& entry : from.targets) {
    if (entry.type.empty()) continue;  // reported where it was read
    settings::section table(entry.table, "targets." + entry.name, problems);
    for (const std::string_view key : common_target_keys) table.know(key);
    const notify::target_kind* const kind = notify::find_target_kind(entry.type);
    if (kind == nullptr) {
      report_no_such_type(entry, table);
      continue;
    }
    const std::size_t kept = problems.secrets().size();
    auto reaches = kind->make(table, through);
    report_what_is_never_told(entry, *reaches, from.notify, table);
    if (&entry == lowest_of(from.targets) && entry.level > 1)
      table.report_here(fmt::format("level: found {}, and no target has level 1: nobody would be told at once", entry.level));
    made.push_back({entry, std::move(reaches), discretion(std::span(problems.secrets()).subspan(kept))});
  }
  return made;
}

}  // namespace flipback::config
