#include "agent/config/make_probes.hpp"

#include "agent/config/read_probes.hpp"
#include "probes/registry.hpp"

#include <fmt/format.h>

#include <set>

namespace flipback::config {

namespace {

/// Two objects of a configuration whose names differ in characters alone that no signal's name has.
void report_twice(const probe& made, settings::section& table) {
  std::set<std::string_view> seen;
  for (const measurement_declaration& d : made.declares()) {
    if (!seen.insert(d.name).second)
      table.report_here(fmt::format("would measure two things as {}: expected another name for one of them", d.name));
  }
}

}  // namespace

std::vector<made_probe> make_probes(const configuration& from, const surroundings& in, settings::diagnostics& problems) {
  std::vector<made_probe> made;
  made.reserve(from.probes.size());
  for (const probe_entry& entry : from.probes) {
    const probe_kind* kind = find_probe_kind(entry.type);
    if (kind == nullptr) continue;  // reported when the table was read
    settings::section table(entry.table, "probes." + entry.name, problems);
    for (const std::string_view key : common_probe_keys) table.know(key);  // so that "evrey" is told of "every"
    surroundings its = in;
    its.every = entry.every;
    const std::size_t known = problems.count();
    made.push_back({&entry, kind->make(table, its)});
    if (problems.count() == known) report_twice(*made.back().observed, table);
  }
  return made;
}

std::vector<slot_upstreams> upstreams_of(const configuration& from) {
  std::vector<slot_upstreams> all;
  for (const slot& s : from.slots) all.push_back({s.name, s.upstreams});
  return all;
}

}  // namespace flipback::config
