#include "agent/config/read_deployment.hpp"

#include "agent/config/read_slots.hpp"
#include "agent/config/read_switch.hpp"
#include "probes/net/host.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace flipback::config {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::optional<identity_source> read_source(settings::section& from, std::string_view key) {
  if (!from.has(key)) return std::nullopt;
  identity_source read = read_identity(from, key);
  return read == identity_source{} ? std::nullopt : std::optional(std::move(read));
}

front_door read_front_door(settings::section& from, std::vector<std::string>& notes) {
  front_door read;
  constexpr std::string_view example = R"({ url = "http://127.0.0.1/health", host = "api.example.com", identity = "/version" })";
  const bool given = from.has("front_door");
  auto inner = from.inner("front_door");
  if (!given) from.report("front_door", fmt::format("is missing, expected where users come in, such as {}", example));
  if (!inner) return read;
  read.url = read_url(*inner, "url", "http://127.0.0.1/health");
  read.host = inner->text("host", "");
  net::report_not_a_host(*inner, "host", read.host);
  read.ca_file = inner->text("ca_file", "");
  read.identity = read_source(*inner, "identity");
  read.release = read_source(*inner, "release");
  read.timeout = inner->span("timeout", read.timeout, milliseconds(10), minutes(1));
  if (!inner->has("identity"))
    notes.emplace_back("deployment.front_door names no identity: only nginx's access log, or its new workers, tell which slot answers");
  inner->finish();
  return read;
}

/// The name of a slot, or one of the words that stand for one.
void check_slot(settings::section& from, std::string_view key, const std::string& named, std::vector<std::string> others,
                const std::vector<slot>& slots) {
  for (const slot& s : slots) others.push_back(s.name);
  if (std::ranges::find(others, named) != others.end()) return;
  const std::string meant = settings::nearest(named, others);
  from.report(key, fmt::format("found {}, expected one of {}{}", from.shown(key), fmt::join(others, ", "),
                               meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant)));
}

void read_which_slots(settings::section& from, const std::vector<slot>& slots, deployment& into) {
  into.stable = from.text("stable", into.stable);
  into.canary = from.text("canary", into.canary);
  if (slots.size() != 2) {
    from.report_here(fmt::format("found {} {}, expected two, such as [slots.blue] and [slots.green]", slots.size(),
                                 slots.size() == 1 ? "slot" : "slots"));
  }
  check_slot(from, "stable", into.stable, {"previous"}, slots);
  if (!from.has("canary")) return;
  check_slot(from, "canary", into.canary, {}, slots);
  const bool is_a_slot = std::ranges::find(slots, into.canary, &slot::name) != slots.end();
  if (is_a_slot && into.canary == into.stable)
    from.report("canary", fmt::format("found {}, which is stable too; a canary is never the way back", from.shown("canary")));
}

}  // namespace

void read_deployment(settings::section& root, configuration& into) {
  auto from = root.inner("deployment");
  if (!from) return;
  deployment read;
  read.mode = from->one_of("mode", mode::observe, {mode::observe, mode::ask, mode::act});
  read.window = from->span("window", read.window, seconds(1), hours(24));
  from->retired("extended", "a rule that is pending when the window ends keeps it open by itself: leave the key out");
  read.confirm = static_cast<unsigned>(from->integer("confirm", read.confirm, 1, 100));
  read.confirm_every = from->span("confirm_every", read.confirm_every, milliseconds(10), minutes(1));
  read.prove = static_cast<unsigned>(from->integer("prove", read.prove, 1, 100));
  read.prove_within = from->span("prove_within", read.prove_within, milliseconds(100), minutes(10));
  read.watch_every = from->span("watch_every", read.watch_every, milliseconds(50), minutes(1));
  read.effect_is_intent = from->choice("intent", "switch", {"switch", "effect"}) == "effect";
  read_which_slots(*from, into.slots, read);
  read_switch(root, *from, into.slots, read);
  read.front_door = read_front_door(*from, into.notes);
  from->finish();
  into.deployment = std::move(read);
}

}  // namespace flipback::config
