#include "agent/config/validate.hpp"

#include "agent/config/catalogue.hpp"
#include "agent/config/make_probes.hpp"
#include "agent/config/make_targets.hpp"
#include "agent/config/slot_twins.hpp"
#include "probes/net/network.hpp"
#include "rules/built_in.hpp"
#include "rules/compile.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace flipback::config {

namespace {

/// A rule on a probe that could not be made would only be told that its signals are unknown; the probe's own problem says more.
bool concerns(const rules::rule_source& rule, const std::string& probe) {
  const std::string prefix = probe + ".";
  return rule.when.text.contains(prefix) || rule.until.text.contains(prefix) || rule.unless.text.contains(prefix);
}

}  // namespace

configuration validate(const std::filesystem::path& file, const sources& from, settings::diagnostics& problems) {
  configuration read = load(file, from, problems);
  configuration running = read;  // as the agent has it
  if (problems.clean()) add_slot_twins(running);
  asio::io_context loop;
  net::network network(loop.get_executor());
  const auto probes = make_probes(running, {loop.get_executor(), network, upstreams_of(running)}, problems);
  for (const made_probe& p : probes) {
    if (!p.why_not.empty()) read.notes.push_back(fmt::format("{} can't be asked: {}", p.entry->name, p.why_not));
  }
  make_targets(running, network, problems);
  const rules::catalogue signals = signals_of(running, probes);
  std::vector<rules::rule_source> own = read.rules;
  for (const probe_entry& entry : running.probes) {
    const bool made = std::ranges::find(probes, &entry, &made_probe::entry) != probes.end();
    if (!made) std::erase_if(own, [&](const rules::rule_source& r) { return concerns(r, entry.name); });
  }
  rules::compile(rules::with_built_ins(own, signals, read.deployment.has_value()).on, signals, problems);
  return read;
}

}  // namespace flipback::config
