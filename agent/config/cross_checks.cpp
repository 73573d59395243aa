#include "agent/config/cross_checks.hpp"

#include "agent/config/own_files.hpp"
#include "agent/config/slot_twins.hpp"
#include "agent/config/slots_differ.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::config {

namespace {

std::vector<std::string> names_of_probes(const configuration& read) {
  std::vector<std::string> names;
  for (const probe_entry& p : read.probes) names.push_back(p.name);
  return names;
}

void check_checks(settings::section& from, const std::vector<std::string>& probes, settings::diagnostics& into) {
  const settings::node* found = from.raw("checks");
  if (found == nullptr) return;
  const auto each = [&](const settings::node& n) {
    const auto* name = std::get_if<std::string>(&n.value);
    if (name == nullptr || std::ranges::find(probes, *name) != probes.end()) return;
    const std::string meant = settings::nearest(*name, probes);
    const std::string expected = n.written.empty() && !name->contains("://") ? fmt::format("a [probes.{}]", *name) : "a probe's name";
    into.add(n.at, fmt::format("{}.checks: found {}, which is no probe{}", from.path(), settings::shown(n),
                               meant.empty() ? fmt::format("; expected {}", expected) : fmt::format("; did you mean \"{}\"?", meant)));
  };
  const auto* several = std::get_if<settings::array>(&found->value);
  if (several == nullptr)
    each(*found);
  else
    std::ranges::for_each(*several, each);
}

}  // namespace

void cross_check(settings::section& root, const configuration& read, settings::diagnostics& into) {
  auto slots = root.inners("slots");
  const std::vector<std::string> probes = names_of_probes(read);
  for (auto& [name, from] : slots) check_checks(from, probes, into);
  check_slots_differ(slots, read.slots);
  check_own_files(root, read);
  if (read.deployment && read.deployment->switched_by == switch_kind::command && !read.nginx.helper.empty())
    root.inner("nginx")->report("helper", "writes files and reloads nginx, and here a command does both; leave it out");
  for (auto& [name, from] : root.inners("probes")) {
    const auto probe = std::ranges::find(read.probes, name, &probe_entry::name);
    if (read.deployment && probe != read.probes.end() && probe->critical) {
      if (const auto why = unfit_to_be_critical(*probe, *read.deployment)) from.report("critical", *why);
    }
    if (std::ranges::find(read.slots, name, &slot::name) != read.slots.end()) {
      from.report_here(fmt::format("a slot is named {} too, and rules could not tell {}.up of the one from the other's", name, name));
    }
  }
}

}  // namespace flipback::config
