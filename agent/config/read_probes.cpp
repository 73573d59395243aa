#include "agent/config/read_probes.hpp"

#include "agent/config/own_keys.hpp"
#include "probes/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace flipback::config {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

bool is_probe_name(std::string_view name) {
  const auto may_stand = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; };
  return !name.empty() && std::ranges::all_of(name, may_stand) && std::isalpha(static_cast<unsigned char>(name.front())) != 0;
}

const probe_kind* read_kind(settings::section& from, const std::string& type) {
  const probe_kind* kind = find_probe_kind(type);
  if (kind != nullptr || type.empty()) return kind;
  std::vector<std::string> types;
  for (const probe_kind& k : probe_kinds()) types.emplace_back(k.type);
  const std::string meant = settings::nearest(type, types);
  from.report("type", fmt::format("found {}, which is no type of probe; {}", from.shown("type"),
                                  meant.empty() ? fmt::format("expected one of {}", fmt::join(types, ", "))
                                                : fmt::format("did you mean \"{}\"?", meant)));
  return nullptr;
}

probe_entry read_probe(const std::string& name, settings::section& from, const settings::node& table) {
  probe_entry read;
  read.name = name;
  constexpr std::array<std::string_view, 4> taken{"live", "stable", "previous", "front_door"};
  if (!is_probe_name(name)) from.report_here("is no name for a probe: expected a letter, then letters, digits, _ and -");
  if (std::ranges::find(taken, name) != taken.end())
    from.report_here(fmt::format("{} means something else in rules; expected another name for the probe", name));
  read.type = from.required_text("type", "http");
  const probe_kind* kind = read_kind(from, read.type);
  const duration usual = kind != nullptr && kind->usual_interval != duration{} ? kind->usual_interval : read.every;
  read.every = from.span("every", usual, milliseconds(10), hours(24));
  read.timeout = from.span("timeout", std::min(read.timeout, read.every), milliseconds(1), hours(1));
  read.critical = from.boolean("critical", false);
  read.tags = from.texts("tags");
  read.in_agent = from.boolean("in_agent", kind == nullptr || !kind->only_when_asked);
  if (read.critical && !read.in_agent)
    from.report("critical", "found true, so that a rollback may rest on it, but it runs with --check only (in_agent)");
  read.table = without_keys(table, common_probe_keys);
  return read;
}

}  // namespace

void read_probes(settings::section& root, configuration& into) {
  const settings::node* all = root.raw("probes");
  for (auto& [name, from] : root.inners("probes")) {
    into.probes.push_back(read_probe(name, from, std::get<settings::table>(all->value).at(name).value.front()));
    if (!into.probes.back().in_agent)
      into.notes.push_back(
          fmt::format("{} runs with --check only, not in the agent: in_agent = true in [probes.{}] changes that", name, name));
  }
}

}  // namespace flipback::config
