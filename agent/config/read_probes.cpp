#include "agent/config/read_probes.hpp"

#include "probes/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace flipback::config {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

bool is_probe_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
}

probe_entry read_probe(const std::string& name, settings::section& from, const settings::node& table) {
  probe_entry read;
  read.name = name;
  constexpr std::array reserved{"live", "stable"};
  if (!is_probe_name(name)) from.report_here("is no name for a probe: expected letters, digits, _ and -");
  if (std::ranges::find(reserved, name) != reserved.end()) from.report_here(fmt::format("{} is no name for a probe: it means a slot in rules", name));
  read.type = from.required_text("type", "http");
  const probe_kind* kind = find_probe_kind(read.type);
  if (kind == nullptr && !read.type.empty()) {
    std::vector<std::string> types;
    for (const probe_kind& k : probe_kinds()) types.emplace_back(k.type);
    const std::string meant = settings::nearest(read.type, types);
    from.report("type", fmt::format("found \"{}\", expected one of {}{}", read.type, fmt::join(types, ", "),
                                    meant.empty() ? "" : fmt::format(" (did you mean {}?)", meant)));
  }
  const duration usual = kind != nullptr && kind->usual_interval != duration{} ? kind->usual_interval : read.every;
  read.every = from.span("every", usual, milliseconds(10), hours(24));
  read.timeout = from.span("timeout", std::min(read.timeout, read.every), milliseconds(1), hours(1));
  read.critical = from.boolean("critical", false);
  read.tags = from.texts("tags");
  read.table = table;
  return read;
}

}  // namespace

void read_probes(settings::section& root, std::vector<probe_entry>& into) {
  const settings::node* all = root.raw("probes");
  for (auto& [name, from] : root.inners("probes")) {
    into.push_back(read_probe(name, from, std::get<settings::table>(all->value).at(name).value.front()));
  }
}

}  // namespace flipback::config
