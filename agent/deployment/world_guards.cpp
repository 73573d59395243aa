#include "agent/deployment/world_guards.hpp"

#include "agent/deployment/decider.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::deployment {

const blame_standing* blame_of(const state& s, const rule_now& rule) {
  const auto found = s.blames.find(rule.name);
  const bool of_this = found != s.blames.end() && found->second.epoch == s.track.now->number && found->second.condition == rule.true_since;
  return of_this ? &found->second : nullptr;
}

std::optional<weighed> stable_slot(const state& s, const terms& by, const present& now, const placed& to, bool all_answers_fresh) {
  const slot_knowledge& known = s.track.slots[to.slot];
  const std::string name = by.slots[to.slot];
  const bool asked = s.stable && s.stable->epoch == s.track.now->number && s.stable->slot == to.slot;
  const bool newest = asked && s.stable->asked >= known.answered;
  if (newest ? s.stable->not_asked : known.not_asked)
    return waits(guard::confirm, fmt::format("{} can't be asked ({})", name, newest ? s.stable->says : known.says),
                 {.stable = !asked || now.at.at - s.stable->asked >= ask_again_every});
  const bool sick_now = newest && !s.stable->well;
  if (!known.well || sick_now) {
    weighed w = blocked(guard::stable, fmt::format("{} is sick too ({}): rolling back would not help{}", name,
                                                   sick_now ? s.stable->says : known.says, by_force));
    w.missing.stable = !asked || now.at.at - s.stable->asked >= ask_again_every;
    return w;
  }
  if (asked && !s.stable->unmet.empty()) {
    weighed w = blocked(guard::stable,
                        fmt::format("{} does not pass its check {}: rolling back would not help{}", name, s.stable->unmet, by_force));
    w.missing.stable = now.at.at - s.stable->asked >= ask_again_every;
    return w;
  }
  if (known.well_in_a_row < by.confirm)
    return waits(guard::confirm, fmt::format("{} has answered well {} of {} times in a row", name, known.well_in_a_row, by.confirm), {});
  const bool fresh = asked && now.at.at - s.stable->asked <= answer_counts_for;
  if (!fresh && all_answers_fresh) return waits(guard::confirm, fmt::format("{} is asked once more", name), {.stable = true});
  if (fresh && !s.stable->release.empty() && !to.release.empty() && s.stable->release != to.release)
    return tells(guard::way_back, fmt::format("{} no longer has {}, but {}{}", name, to.release, s.stable->release, by_force));
  return std::nullopt;
}

namespace {

const lack* first_of(const known_readiness& of, bool lack::* which) {
  const auto found = std::ranges::find(of.lacks, true, which);
  return found == of.lacks.end() ? nullptr : &*found;
}

}  // namespace

std::optional<weighed> ready_enough(const state& s, const present& now) {
  if (!s.ready || now.at.at - s.ready->looked > readiness_counts_for)
    return waits(guard::ready, "it is looked whether nginx can be switched back", {.ready = true});
  if (s.track.now && s.ready->looked < s.track.now->began.at)
    return waits(guard::ready, "it is looked whether nginx can be switched back", {.ready = true});
  const lack* const blocking = first_of(*s.ready, &lack::blocking);
  if (blocking == nullptr) return std::nullopt;
  weighed w = blocked(guard::ready, text_of(*blocking));
  w.missing.ready = now.at.at - s.ready->looked >= ask_again_every;
  return w;
}

std::optional<weighed> blamed(const state& s, const present& now, const rule_now& rule, bool of_this_moment) {
  const blame_standing* known = blame_of(s, rule);
  if (known == nullptr) return waits(guard::blame, "both slots are asked for what fails", {.blame = true});
  const auto age = now.at.at - known->asked;
  if (known->newest.is == blame::kind::both_fail) {
    weighed w = blocked(guard::blame, fmt::format("{}{}", known->newest.says, all_the_same));
    w.missing.blame = age >= ask_again_every;
    return w;
  }
  if (of_this_moment && known->newest.is == blame::kind::unsure) return waits(guard::blame, known->newest.says, {.blame = true});
  const bool asked = known->first_both_well || s.both_failed;
  if (mark_of(s, rule.name, rule.true_since) && rule.above_since_mark != answer::yes) {
    weighed w = waits(guard::short_window,
                      fmt::format("{}; it acts once what came after that is above the limit by itself{}",
                                  asked             ? known->newest.says
                                  : s.in_doubt.mark ? "before a restart both slots were well, or both were not"
                                                    : "the stable slot was sick at that time, too",
                                  all_the_same),
                      {});
    w.missing.blame = age >= ask_again_every;
    return w;
  }
  if (of_this_moment && age > answer_counts_for) return waits(guard::blame, "both slots are asked for what fails", {.blame = true});
  return std::nullopt;
}

weighed weigh_order(const state& s, const terms& by, const present& now, const cause& of, const placed& to) {
  if (of.force) return {};
  const std::string name = by.slots[to.slot];
  const std::string forced = of.flips() ? fmt::format("; `flipback flip {} --force` does it all the same", name) : std::string(by_force);
  const std::string_view in_vain = of.flips() ? "users would be led to it" : "rolling back would not help";
  const bool asked = s.stable && s.stable->slot == to.slot && now.at.at - s.stable->asked <= answer_counts_for;
  if (!asked) return waits(guard::stable, fmt::format("{} is asked", name), {.stable = true});
  const slot_knowledge& known = s.track.slots[to.slot];
  if (s.stable->not_asked)
    return tells(guard::stable,
                 fmt::format("{} can't be asked ({}), so that it can't be told whether it is well{}", name, s.stable->says, forced));
  const bool sick_since = !known.well && !known.not_asked && known.answered > s.stable->asked;
  if (!s.stable->well || sick_since)
    return tells(guard::stable, fmt::format("{} is sick ({}): {}{}", name, sick_since ? known.says : s.stable->says, in_vain, forced));
  if (!s.stable->unmet.empty())
    return tells(guard::stable, fmt::format("{} does not pass its check {}: {}{}", name, s.stable->unmet, in_vain, forced));
  if (!to.release.empty() && !s.stable->release.empty() && to.release != s.stable->release)
    return tells(guard::way_back, fmt::format("{} no longer has {}, but {}{}", name, to.release, s.stable->release, forced));
  if (!of.flips()) return {};
  // Users wait for no flip, as they do for a rollback: it is not begun where something stands in its way.
  if (!s.ready || s.ready->looked < of.since.at) return waits(guard::ready, "it is looked whether nginx can be switched", {.ready = true});
  if (const lack* const lacking = first_of(*s.ready, &lack::stops_a_switch)) return tells(guard::ready, text_of(*lacking));
  return {};
}

}  // namespace flipback::deployment
