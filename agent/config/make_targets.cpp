#include "agent/config/make_targets.hpp"

#include "agent/config/read_notify.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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
    made.push_back({entry, std::move(reaches), discretion(std::span(problems.secrets()).subspan(kept))});
  }
  return made;
}

}  // namespace flipback::config
