// The part of the decider that people talk to.

#include "agent/deployment/deciding.hpp"
#include "agent/deployment/standing.hpp"
#include "agent/deployment/unnamed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::deployment {

namespace {

event told_as(std::string kind, const std::string& by, std::string says) {
  event e{std::move(kind), severity::warning, std::move(says), {}};
  return std::move(e.with("by", by));
}

}  // namespace

void deciding::on(const verb& v) {
  switch (v.is) {
    case verb::kind::rollback:
      return roll_back(v);
    case verb::kind::approve:
      return approve(v);
    case verb::kind::hold:
      return hold_for(v);
    case verb::kind::unhold:
      return unhold(v);
    case verb::kind::unlatch:
      return unlatch(v);
    case verb::kind::window_open:
      return window_open(v);
    case verb::kind::window_close:
      return window_close(v);
    case verb::kind::flip:
      return flip(v);
  }
}

void deciding::answer_when_stored(const verb& v, fact which, std::string text) {
  keep_fact(which);
  s.when_stored[std::string(name_of(which))].push_back({s.keeps, v.id, std::move(text)});
}

/// What keeps another from being begun; empty: nothing.
std::string deciding::busy() const {
  if (!s.under_way && !s.order) return {};
  const cause& why = s.under_way ? s.under_way->why : *s.order;
  const std::string whose = why.by.empty() ? fmt::format("the rule {}", why.rule) : why.by;
  const auto to = leads_to(why, s, by, now);
  return fmt::format("a {}{} is under way ({})", name_of(why), to ? fmt::format(" to {}", by.slots[to->slot]) : "", whose);
}

void deciding::roll_back(const verb& v) {
  if (!s.under_way && s.order && s.order->flips()) refuse_order(fmt::format("{} has ordered a rollback: nothing was flipped", v.by));
  if (const std::string why = busy(); !why.empty()) return answer(v, false, why);
  const auto to = ordered_to(s, by, now);
  if (!to) return answer(v, false, nowhere_to_go(now, by));
  const bool named = now.names.named() == to->slot;
  const bool reached = s.track.now && s.track.now->live.slot == to->slot && s.track.is == agreement::agreed;
  if (named && reached && !v.sure)
    return answer(v, false,
                  fmt::format("the switch names {} already, and users reach it; --force does it all the same", by.slots[to->slot]));
  // Nobody has said, and nothing has shown, that this slot ever worked: to know less of it is no licence to go there.
  if (!v.sure && by.stable != to->slot && !was_seen_live(s.track, to->slot))
    return answer(
        v, false,
        fmt::format("{} was not seen live since the record began: {}; `flipback rollback --force --reason TEXT` goes to {} all the same",
                    by.slots[to->slot], no_way_back(s.track, by), by.slots[to->slot]));
  s.order = cause{cause::kind::ordered, "security", v.by, v.reason, v.sure, v.id, now.at};
  s.stable.reset();  // asked anew, for this order
  s.in_doubt.failed.reset();
}

/// A cutover that a person asks for: what comes of it is noticed as every cutover is, by what the switch names and what users reach.
void deciding::flip(const verb& v) {
  if (const std::string why = busy(); !why.empty()) return answer(v, false, why);
  const slot_number to = v.slot.value_or(0);
  const std::string& slot = by.slots[to];
  const bool reached = s.track.now && s.track.now->live.slot == to && s.track.is == agreement::agreed;
  if (reached && (now.names.named() == to || by.effect_is_intent))
    return answer(v, false,
                  fmt::format("{} is live already: users reach it{}", slot, by.effect_is_intent ? "" : ", and the switch names it"));
  s.order = cause{cause::kind::flip, {}, v.by, v.reason, v.sure, v.id, now.at, to};
  s.stable.reset();  // asked anew, for this order
}

void deciding::approve(const verb& v) {
  if (const std::string why = busy(); !why.empty()) return answer(v, false, why);
  std::erase_if(s.questions, [&](const auto& entry) { return now.at.at - entry.second.asked.at > question_lives; });
  if (s.questions.empty()) return answer(v, false, "nothing is asked");
  if (v.rule.empty() && s.questions.size() > 1)
    return answer(v, false, fmt::format("several rules ask: name one, as in `flipback approve {}`", s.questions.begin()->first));
  const std::string rule = v.rule.empty() ? s.questions.begin()->first : v.rule;
  const auto asked = s.questions.find(rule);
  if (asked == s.questions.end()) return answer(v, false, fmt::format("{} asks nothing", rule));
  const rule_now* still = rule_named(now, rule);
  if (still == nullptr || !still->breached) {
    s.questions.erase(asked);
    return answer(v, false, fmt::format("{} is no longer breached", rule));
  }
  s.questions.erase(asked);
  s.in_doubt.failed.reset();
  s.order = cause{cause::kind::approved, rule, v.by, still->why, false, v.id, now.at};
  act(say{told_as("rollback.approved", v.by, fmt::format("{} approves of the rollback that {} asks for", v.by, rule))});
}

/// A hold that is there already goes on: the later end counts, and its owner stays.
void deciding::hold_for(const verb& v) {
  const moment until{now.at.at + v.length, now.at.wall + std::chrono::duration_cast<wall_time::duration>(v.length)};
  const std::string late = s.under_way && s.under_way->is == attempt::phase::changing && !s.under_way->why.flips()
                               ? "; it came too late for the rollback that is under way, which has changed something already"
                               : "";
  if (is_held(s, now.at) && s.held->until.at >= until.at)
    return answer(v, true, fmt::format("a longer hold is there already and stays: {}{}", text_of(*s.held), late));
  s.held = hold{v.by, v.reason, now.at, until};
  act(say{told_as("rollback.held", v.by, fmt::format("no automatic rollback acts: {}", text_of(*s.held)))});
  std::string text = fmt::format("no automatic rollback acts for {}{}; `flipback unhold` ends that", format_duration(v.length), late);
  if (v.id == 0) return keep_fact(fact::hold);  // a rule's own
  answer_when_stored(v, fact::hold, std::move(text));
}

void deciding::unhold(const verb& v) {
  if (!is_held(s, now.at)) return answer(v, false, "nothing is held");
  s.held.reset();
  s.said.clear();
  s.in_doubt.failed.reset();
  act(say{told_as("rollback.freed", v.by, fmt::format("{} has ended the hold: automatic rollbacks act again", v.by))});
  answer_when_stored(v, fact::hold, "automatic rollbacks act again");
}

void deciding::unlatch(const verb& v) {
  const bool remembered = s.track.now && was_rolled_back_before(s, by, now, s.track.now->live);
  if (!s.latched && !remembered)
    return answer(v, false, "there is nothing to open: the latch is open, and the live release is not remembered as rolled back");
  if (s.under_way) return answer(v, false, busy());
  const auto breached = std::ranges::find(now.rules, true, &rule_now::breached);
  if (breached != now.rules.end() && !v.sure)
    return answer(v, false,
                  fmt::format("{} is breached: what is live may be rolled back at once; --yes does it all the same", breached->name));
  std::erase_if(s.failures, [&](const failure& f) { return s.track.now && is_of(f, s.track.now->live); });
  const bool was_shut = std::exchange(s.latched, std::nullopt).has_value();
  s.said.clear();
  s.not_again_before.reset();
  s.in_doubt.failed.reset();
  const std::string forgotten = remembered ? "the live release is no longer remembered as rolled back" : "";
  act(say{told_as("rollback.unlatched", v.by,
                  was_shut ? fmt::format("{} has opened the latch", v.by)
                           : fmt::format("{} has said that the live release may be rolled back again: {}", v.by, forgotten))});
  keep_fact(fact::failures);
  answer_when_stored(v, fact::latch,
                     was_shut ? fmt::format("the latch is open{}{}", forgotten.empty() ? "" : ", and ", forgotten) : forgotten);
}

/// For people who ask while it is not known which slot is live.
std::string deciding::why_not_known() const {
  if (!now.names.named()) return fmt::format(": {}, and users were not seen to reach one", why_unnamed(now.names, by));
  return fmt::format(": the switch names {}, and users were not seen to reach it", by.slots[*now.names.named()]);
}

void deciding::window_open(const verb& v) {
  if (const std::string why = busy(); !why.empty()) return answer(v, false, why);
  const auto live = reached_by_users(s.track);
  if (!live) return answer(v, false, fmt::format("it is not known which slot is live{}", why_not_known()));
  std::optional<placed> back;
  if (v.slot)
    back = placed{*v.slot, s.track.slots[*v.slot].release};
  else if (s.track.now && s.track.now->back)
    back = s.track.now->back->to;
  if (!back) return answer(v, false, "there is no way back: `flipback window open --stable SLOT` says which slot to go back to");
  if (by.canary == back->slot) return answer(v, false, fmt::format("{} is the canary, which is never gone back to", by.slots[back->slot]));
  if (back->slot == live->slot) {
    // Users who were seen to move count as where they are.
    const std::string users = s.track.is == agreement::moved ? std::string() : effect_says(s.track, by);
    return answer(v, false,
                  users.empty() ? fmt::format("{} is live already", by.slots[back->slot])
                                : fmt::format("{} was live last, and where users are is not clear ({}): it is no slot to go back to until "
                                              "they are seen to reach another one, and the switch names that",
                                              by.slots[back->slot], users));
  }
  const std::string doubt = v.slot ? std::string() : doubt_of_way_back(s.track, by);  // a person who names the slot has decided
  deployment::open_window(s.track, {*back, now.at, doubt});
  after_new_epoch(false);
  stale_rules = true;
  if (s.latched) {
    s.latched.reset();
    keep_fact(fact::latch);
  }
  act(say{told_as("deployment.window_opened", v.by,
                  fmt::format("{} has opened the rollback window, with {} to go back to", v.by, text_of(*back, by)))});
  answer_when_stored(
      v, fact::epoch,
      fmt::format("the rollback window is open for {}, with {} to go back to{}{}", format_duration(by.window), text_of(*back, by),
                  doubt.empty()
                      ? ""
                      : fmt::format("; but {}, so it waits for `flipback approve`: `flipback window open --stable {}` says that it "
                                    "is good",
                                    doubt, by.slots[back->slot]),
                  now.names.is == intent::kind::neither
                      ? fmt::format("; but the switch names no slot ({}): until it does, a breach asks instead of acting", now.names.says)
                      : ""));
}

void deciding::window_close(const verb& v) {
  if (!s.window_was_open || !s.track.now) return answer(v, false, "the rollback window is closed");
  s.track.now->window_ended = true;
  act(say{told_as("deployment.window_ended", v.by, fmt::format("{} has closed the rollback window", v.by))});
  answer_when_stored(v, fact::epoch, "the rollback window is closed: rules alert only");
}

}  // namespace flipback::deployment
