// What must be so at the instant at which a rollback is given leave.

#include "tests/simulation/invariants.hpp"

#include <algorithm>
#include <array>

namespace flipback::simulation {

using deployment::cause;

namespace {

constexpr duration direct_counts_for = seconds(2);

}  // namespace

void invariants::on_leave(const deployment::stepped& done, const deployment::present& now) {
  const auto& s = done.after;
  if (!s.under_way) return fail("leave was given to no attempt");
  const deployment::attempt& a = *s.under_way;
  leave_at_ = world_.time.now();
  if (!a.why.force) {
    const auto& known = newest_.at(a.to.slot);
    if (!known || now.at.at - known->asked > direct_counts_for)
      return fail(fmt::format("{} was made live and has not answered for 2 s", world_.how.by.slots[a.to.slot]));
    if (!known->well) return fail(fmt::format("{} was made live and its newest answer was sick", world_.how.by.slots[a.to.slot]));
    if (a.from.slot == a.to.slot) return fail("a rollback to the slot that is live");
  }
  constexpr std::array<std::string_view, 4> kinds{"a rule", "approval", "order", "flip"};
  ++figures_[fmt::format("leave by {}", kinds.at(static_cast<std::size_t>(a.why.is)))];
  if (a.why.flips()) ++makers_since_cutover_, maker_ = world_.time.now();
  if (a.why.is == cause::kind::rule) on_automatic_leave(a, s, now);
}

void invariants::on_automatic_leave(const deployment::attempt& a, const deployment::state& s, const deployment::present& now) {
  const duration at = world_.time.now();
  if (held_since_ && at < *held_since_ + held_for_) return fail("an automatic rollback acted while it was held");
  const auto rule = std::ranges::find(now.rules, a.why.rule, &deployment::rule_now::name);
  if (rule == now.rules.end() || !rule->breached) return fail("it acted on a rule that is not breached");
  if (rule->holds != deployment::answer::yes) return fail("it acted on a condition that is not true at this instant");
  if (!s.track.now) return fail("it acted while it was not known which slot is live");
  const deployment::epoch& e = *s.track.now;
  if (rule->true_since < e.began.at) return fail("it acted on a condition that began before the epoch");
  if (a.epoch != e.number) return fail("it acted on what was decided in another epoch");
  if (std::min(world_.how.by.mode, rule->mode.value_or(world_.how.by.mode)) != config::mode::act)
    return fail("it acted without approval, and its mode is not act");
  const duration allowed = world_.how.by.window + rule->lasts + deployment::carried_past_the_window;
  if (rule->true_since > e.began.at + world_.how.by.window) return fail("it acted on a condition that began after the window");
  if (now.at.at > e.began.at + allowed) return fail("it acted after the window, by its own clock");
  if (at > maker_ + allowed + seconds(60)) return fail("it acted after the window");
  if (e.is == deployment::epoch::kind::baseline || e.is == deployment::epoch::kind::rolled_back)
    return fail("it acted in an epoch that has no window");
  if (e.returned) return fail("it rolled back a rollback");
  if (rolled_back_at_) return fail("it rolled back after its own rollback, and nobody has changed anything since");
  if (changed_since_maker_ > 0 && !unlatched_ && !(store_ill_ > maker_)) return fail("it acted twice in one epoch");
  if (s.latched && s.latched->epoch == e.number) return fail("it acted while the latch is shut");
  if (!e.back) return fail("it acted without a way back");
  if (e.back->to != a.to) return fail("it acts on another way back than the recorded one");
  if (!e.back->doubt.empty()) return fail("it acted on a way back that is in doubt");
  const bool versions = world_.how.tells == told_by::version || world_.how.tells == told_by::both;
  const auto& there = world_.slots.at(a.to.slot);
  if (versions && !a.to.release.empty() && there.release != a.to.release && at - there.deployed > seconds(3))
    return fail(fmt::format("it goes back to {} with {}, which has {}", world_.how.by.slots[a.to.slot], a.to.release, there.release));
  if (now.names.is != deployment::intent::kind::names) return fail("it acted while a person was changing the switch");
}

}  // namespace flipback::simulation
