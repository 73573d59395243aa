#include "agent/config/runbook.hpp"

#include "agent/config/runbook_variables.hpp"
#include "probes/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace flipback::config {

void add_runbook_probes(const variables& from, configuration& into, settings::diagnostics& problems) {
  std::vector<std::string_view> known;
  for (const runbook_row& r : runbook_rows()) {
    if (known.empty() || known.back() != r.variable) known.push_back(r.variable);
    if (std::ranges::find(into.probes, r.name, &probe_entry::name) != into.probes.end()) continue;  // another variable names it, too
    written_table table(from, r.variable);
    if (!table.is_set(r.variable) && table.unread().empty()) continue;
    r.fill(table);
    if (table.is_empty() && table.unread().empty()) continue;
    const probe_kind& kind = *find_probe_kind(r.type);
    probe_entry made;
    made.name = r.name;
    made.type = r.type;
    if (kind.usual_interval != duration{}) made.every = kind.usual_interval;
    made.timeout = std::min(made.timeout, made.every);
    made.unread = table.unread();
    made.table = table.take();
    into.probes.push_back(std::move(made));
  }
  if (!into.probes.empty()) return;
  problems.add({}, fmt::format("nothing to do: there is no configuration file (--config FILE), and none of {} is set in the environment",
                               fmt::join(known, ", ")));
}

}  // namespace flipback::config
