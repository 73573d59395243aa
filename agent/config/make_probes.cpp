#include "agent/config/make_probes.hpp"

#include "agent/config/read_probes.hpp"
#include "probes/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace flipback::config {

namespace {

/// Two objects of a configuration whose names differ in characters alone that no signal's name has.
void report_twice(const probe& made, settings::section& table) {
  std::set<std::string_view> seen;
  for (const measurement_declaration& d : made.declares()) {
    if (seen.insert(d.name).second) continue;
    table.report_here(fmt::format("would measure two things as {}: expected another name for one of them", d.name));
    return;  // what follows is of the same two
  }
}

std::unique_ptr<probe> make_one(const probe_entry& entry, const settings::node& keys, const probe_kind& kind, surroundings in,
                                settings::diagnostics& problems) {
  in.every = entry.every;
  settings::section table(keys, "probes." + entry.name, problems);
  for (const std::string_view key : common_probe_keys) table.know(key);  // so that "evrey" is told of "every"
  const std::size_t known = problems.count();
  const std::size_t kept = problems.secrets().size();
  auto made = kind.make(table, in);
  made->keep_secret(std::span(problems.secrets()).subspan(kept));
  if (problems.count() == known) report_twice(*made, table);
  return made;
}

/// What a wrong variable leaves of a probe.
class probe_that_cant_be_asked final : public probe {
 public:
  explicit probe_that_cant_be_asked(std::string why) : why_(std::move(why)) {}
  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return {}; }
  asio::awaitable<observation> observe(run&) override { co_return observation::unknown(reason::no_prerequisite, why_); }

 private:
  std::string why_;
};

std::string all_of(const settings::diagnostics& problems) {
  std::string all;
  for (const settings::problem& p : problems.sorted()) all += (all.empty() ? "" : "; ") + settings::to_string(p);
  return all;
}

/// Of the variables alone, each probe by itself.
std::vector<made_probe> make_of_variables(const configuration& from, const surroundings& in, settings::diagnostics& problems) {
  std::vector<made_probe> made;
  for (const probe_entry& entry : from.probes) {
    settings::diagnostics own;
    if (!entry.unread.empty()) own.add({}, entry.unread);
    auto asked = make_one(entry, entry.table, *find_probe_kind(entry.type), in, own);
    std::string why_not = entry.unread.empty() ? all_of(own) : entry.unread;
    if (!why_not.empty()) asked = std::make_unique<probe_that_cant_be_asked>(why_not);
    made.push_back({&entry, std::move(asked), std::move(why_not)});
  }
  if (!std::ranges::all_of(made, [](const made_probe& p) { return !p.why_not.empty(); })) return made;
  for (const made_probe& p : made) problems.add({}, p.why_not);
  return made;
}

}  // namespace

std::vector<made_probe> make_probes(const configuration& from, const surroundings& in, settings::diagnostics& problems,
                                    const slots_in_roles& now) {
  if (from.file.empty()) return make_of_variables(from, in, problems);
  std::vector<made_probe> made;
  made.reserve(from.probes.size());
  for (const probe_entry& entry : from.probes) {
    const probe_kind* kind = find_probe_kind(entry.type);
    if (kind == nullptr) continue;  // reported when the table was read
    if (entry.at_slots.empty()) {
      made.push_back({&entry, make_one(entry, entry.table, *kind, in, problems)});
      continue;
    }
    std::vector<std::unique_ptr<probe>> each;
    for (const settings::node& table : entry.at_slots) each.push_back(make_one(entry, table, *kind, in, problems));
    made.push_back({&entry, make_slot_probe(std::move(each), entry.asked, entry.name.substr(0, entry.name.rfind('.')), now)});
  }
  return made;
}

std::unique_ptr<probe> make_probe(const probe_entry& entry, const settings::node& keys, const surroundings& in,
                                  settings::diagnostics& problems) {
  return make_one(entry, keys, *find_probe_kind(entry.type), in, problems);
}

}  // namespace flipback::config
