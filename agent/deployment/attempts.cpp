// The part of the decider that a rollback passes through: begun, given leave or stopped, changed, ended.

#include "agent/deployment/deciding.hpp"
#include "agent/deployment/epochs.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::deployment {

namespace {

constexpr std::string_view past_a_refusal =
    "`flipback rollback --reason TEXT` puts the stable slot's files there all the same, and takes them back where nginx refuses those, too";

const char* kind_of_end(const attempt& a) {
  if (a.why.flips()) return a.recovery ? "flip.recovered" : "flip.closed";
  return a.recovery ? "rollback.recovered" : "rollback.closed";
}

event decided_to_flip(const attempt& a, const terms& by) {
  const std::string why = a.why.reason.empty() ? "" : ": " + a.why.reason;
  event e{"flip.decided", severity::info, fmt::format("putting {} live ({}{})", text_of(a.to, by), a.why.by, why), {}};
  return e.with("by", a.why.by).with("why", a.why.reason).with("to", by.slots[a.to.slot]).with("from", by.slots[a.from.slot]);
}

/// A person who types a rollback, or approves of one, is there to see what comes of it.
bool is_a_rules_own(const attempt& a) {
  return a.why.is == cause::kind::rule && a.why.by.empty();
}

/// How loudly a rollback's end is said, which was the so-many-th failed attempt; 0: it did not fail.
severity loudness(const rollback::ending& how, unsigned failed) {
  using rollback::outcome;
  const bool as_expected = how.how == outcome::rolled_back || (how.how == outcome::nothing_changed && failed == 0);
  return as_expected || failed > 1 ? severity::warning : severity::critical;
}

/// Who has typed a flip is answered: others are told where users are not where they were, and it was not to be so.
severity loudness_of_flip(const attempt& a, const rollback::ending& how) {
  using rollback::outcome;
  if (how.how == outcome::rolled_back || how.how == outcome::nothing_changed) return severity::info;
  return how.how == outcome::undone && how.reached == a.from.slot ? severity::warning : severity::critical;
}

}  // namespace

void deciding::begin(const cause& why, const placed& to, const std::string& whom) {
  attempt a;
  a.id = fmt::format("{}", std::chrono::duration_cast<std::chrono::milliseconds>(now.at.wall.time_since_epoch()).count());
  a.why = why;
  const slot_number other = by.slots.size() == 2 ? 1 - to.slot : to.slot;
  a.from = s.track.now && s.track.now->live.slot != to.slot ? s.track.now->live : placed{other, s.track.slots[other].release};
  a.to = to;
  a.epoch = epoch_number();
  a.begun = now.at;
  a.blamed = whom;
  s.under_way = a;
  act(begin_rollback{std::move(a)});
}

/// The last moment before anything is changed: everything is weighed once more, as it is now.
void deciding::on(const prepared& e) {
  if (!s.under_way || s.under_way->id != e.id) return;
  // It was told before it had begun, and knows nothing of it.
  if (s.under_way->is == attempt::phase::stopped) return stop(*s.under_way, "it was stopped before it began");
  if (s.under_way->is != attempt::phase::preparing) return;
  s.under_way->is = attempt::phase::prepared;
  // It was looked whether all is ready, and this is newer. A flip was looked at just now.
  if (e.refused.empty() || !s.ready || s.under_way->why.flips()) return;
  const lack refused{true, fmt::format("nginx refuses its configuration as it is: {}", e.refused), std::string(past_a_refusal)};
  s.ready->looked = now.at.at;
  if (std::ranges::find(s.ready->lacks, true, &lack::blocking) == s.ready->lacks.end()) s.ready->lacks.push_back(refused);
}

void deciding::ask_leave() {
  if (!s.under_way || s.under_way->is != attempt::phase::prepared) return;
  attempt& a = *s.under_way;
  const std::uint64_t number = epoch_number();
  weighed w = weigh(s, by, now, a.why);
  const bool knew = a.epoch != 0 || !a.why.is_an_order();  // a person's order needs no known effect
  if (knew && a.epoch != number) w = {stance::tells, guard::condition, "a cutover came in between", {}};
  const bool same_way = a.why.is_an_order() || (s.track.now && s.track.now->back && s.track.now->back->to == a.to);
  if (w.is == stance::act && !same_way) w = {stance::tells, guard::way_back, "the way back is another one now", {}};
  if (w.is == stance::waits && now.at.at - a.begun.at < carried_past_the_window) {
    const rule_now* rule = rule_named(now, a.why.rule);
    ask_for(w.missing, a.why.rule, rule != nullptr ? rule->true_since : now.at.at, a.to);
    return;
  }
  if (w.is != stance::act) {
    s.not_again_before = now.at.at + ask_again_every;
    if (a.why.is == cause::kind::rule && rule_named(now, a.why.rule) != nullptr) say_stance(a.why.rule, w);
    return stop(a, w.says);
  }
  a.is = attempt::phase::changing;
  if (a.why.flips()) {
    act(say{decided_to_flip(a, by)});
    act(give_leave{a.id});
    return;
  }
  const rule_now* rule = a.why.is_an_order() ? nullptr : rule_named(now, a.why.rule);
  const unsigned failed = s.in_doubt.failed && is_a_rules_own(a) ? s.in_doubt.failed->count : 0;
  event decided{"rollback.decided",
                failed > 0 ? severity::warning : severity::critical,  // that it fails was said as loudly when it did so first
                fmt::format("{}rolling back to {}: {} ({}{})", failed > 0 ? fmt::format("attempt {}: ", failed + 1) : "", text_of(a.to, by),
                            a.why.by.empty() ? a.why.rule : a.why.by, a.why.reason, rule != nullptr ? text_of_unless(*rule) : ""),
                {}};
  decided.with("rule", a.why.rule).with("why", a.why.reason).with("to", by.slots[a.to.slot]).with("from", by.slots[a.from.slot]);
  decided.with("release", a.from.release).with("epoch", static_cast<std::int64_t>(a.epoch));
  if (!a.why.by.empty()) decided.with("by", a.why.by);
  if (!w.says.empty()) decided.with("blame", w.says);
  act(say{std::move(decided)});
  act(give_leave{a.id});
}

void deciding::on(const changed& e) {
  if (!s.under_way || s.under_way->id != e.id) return;
  s.under_way->is = attempt::phase::changing;
  if (s.under_way->why.flips()) return;  // it shuts no latch
  s.latched = latch{s.under_way->epoch, s.under_way->from, s.under_way->why.rule, now.at, {}};
  keep_fact(fact::latch);
}

void deciding::on(const ended& e) {
  if (!s.under_way || s.under_way->id != e.id) return;
  const attempt a = *std::exchange(s.under_way, std::nullopt);
  using rollback::outcome;
  const bool failed = count_failed(a, e.how);
  const std::string text = say_ended(a, e.how, failed);
  const bool new_epoch = !a.why.flips() && ended_rollback(a, e.how);
  // What came of a flip the next look finds, as it finds every cutover; its proof had the witnesses.
  if (a.why.flips() && e.how.how == outcome::rolled_back)
    s.track.arriving = tracking::arrival{a.to, witnesses_of_a_cutover, now.at, now.at.at};
  const bool stays = e.how.how == outcome::unproven || e.how.how == outcome::not_undone || e.how.how == outcome::cant_tell;
  if (a.why.flips()) s.left_by_flip = stays && a.from.slot != a.to.slot ? std::optional(a.from) : std::nullopt;
  if (s.track.now && !new_epoch) make_room();
  keep_fact(fact::latch);
  if (s.track.now) keep_fact(fact::epoch);  // else what is remembered of it stays
  s.closing = a.id;
  act(close_journal{a.id});
  act(look_at_once{});
  if (a.why.verb == 0) return;
  const bool as_it_was = a.why.flips() && e.how.how == outcome::undone;  // nothing is to be had back
  const bool is_stored = s.unstored.empty() && !e.how.says.ends_with("(unrecorded)");
  const std::string kept =
      !e.how.overwrote || as_it_was ? ""
      : is_stored
          ? "; what the files said before is kept: `flipback status` says how to see what differs, and to have it back"
          : "; what the files said before is not kept yet, since the state can't be written: look at the files before the agent ends";
  const std::string then = a.why.flips() ? after_flip(a, e.how) : "";
  act(answer_verb{a.why.verb, e.how.how == outcome::rolled_back, text + then + kept});
}

/// What a person who has put a slot live would not expect of what comes now, or needs to type.
std::string deciding::after_flip(const attempt& a, const rollback::ending& how) const {
  using rollback::outcome;
  const std::string& from = by.slots[a.from.slot];
  if (a.from.slot == a.to.slot) return {};  // it was not known what was live
  if (how.how == outcome::unproven) return fmt::format("; `flipback flip {}` puts {} live again", from, from);
  if (how.how != outcome::rolled_back) return {};
  if (takes_way_back(s.track, a.to, by))
    return fmt::format("; that was the way back from {}, so that it counts as your rollback: rules ask before they go to {} again", from,
                       from);
  if (was_rolled_back_before(s, by, now, a.to))
    return fmt::format("; {} was rolled back within the last day: rules ask before they do so again", a.to.release);
  return {};
}

/// What a rollback came to: for the epoch, the latch, and what is remembered of releases. Whether a new epoch began.
bool deciding::ended_rollback(const attempt& a, const rollback::ending& how) {
  using rollback::outcome;
  // What could not be undone, and names the stable slot, leads users there at nginx's next reload, whoever asks for it.
  const bool left_there = how.how == outcome::not_undone && how.changed && now.names.named() == a.to.slot;
  const bool on_stable = how.how == outcome::rolled_back || how.how == outcome::unproven || left_there;
  if (on_stable) {
    s.failures.push_back({a.from, now.at});
    keep_fact(fact::failures);
    noticed found = rolled_back(s.track, a.to, now.at, by);
    if (how.how != outcome::rolled_back) {
      s.track.is = agreement::unknown;
      s.track.users.reset();
    }
    const std::uint64_t number = s.track.now->number;
    after_new_epoch(found.was_rolled_back);
    stale_rules = true;
    s.latched = latch{number, a.from, a.why.rule, now.at, std::string(name_of(how.how))};
  } else if (how.changed) {
    s.latched = latch{epoch_number(), a.from, a.why.rule, now.at,
                      fmt::format("tried at {:%H:%M} UTC, {}: {}", fmt::gmtime(std::chrono::system_clock::to_time_t(a.begun.wall)),
                                  name_of(how.how), how.says)};
  } else {
    // What an earlier life shut at a change that never reached the disk.
    if (a.recovery && s.latched && s.latched->epoch == a.epoch) s.latched.reset();
    s.not_again_before = now.at.at + ask_again_every;
    s.ready.reset();  // it was thought that nothing would be in the way
  }
  return on_stable;
}

void deciding::on(const journal_closed& e) {
  if (s.closing == e.id) s.closing.reset();
}

void deciding::on(const pausing& e) {
  if (!s.under_way || s.under_way->is == attempt::phase::changing) return;
  stop(*s.under_way, s.under_way->why.verb != 0 ? fmt::format("{}; type it again", e.why) : e.why);
}

void deciding::stop(attempt& a, const std::string& why) {
  a.is = attempt::phase::stopped;
  act(stop_rollback{a.id, why});
}

bool deciding::count_failed(const attempt& a, const rollback::ending& how) {
  if (how.changed || a.is == attempt::phase::stopped || !is_a_rules_own(a)) return false;
  const rule_now* rule = rule_named(now, a.why.rule);
  const unsigned before = s.in_doubt.failed ? s.in_doubt.failed->count : 0;
  s.in_doubt.failed = failed_attempts{before + 1, now.at, a.why.rule, how.says, {}};
  if (rule != nullptr) s.in_doubt.failed->condition = rule->true_since;
  return true;
}

/// A rule's, though nothing is in its way: what was tried just now has failed, or was stopped.
bool deciding::is_too_early() const {
  const auto& failed = s.in_doubt.failed;
  if (failed && now.at.at < failed->newest.at + wait_after(*failed)) return true;
  return s.not_again_before && now.at.at < *s.not_again_before;
}

std::string deciding::what_it_waits_for() const {
  const auto& failed = s.in_doubt.failed;
  if (failed && now.at.at < failed->newest.at + wait_after(*failed)) return text_of(*failed, now.at);
  return "an attempt was stopped just now, and the next begins in a moment";
}

std::string deciding::say_ended(const attempt& a, const rollback::ending& how, bool failed) {
  using rollback::outcome;
  const std::string to = text_of(a.to, by);
  std::string says;
  switch (how.how) {
    case outcome::rolled_back:
      says = fmt::format("{} is live, proven in {}: {}", to, format_duration(how.took), how.says);
      break;
    case outcome::unproven:
      says = how.reached == a.to.slot ? fmt::format("users reach {}, but not all that should show it does: {}", to, how.says)
                                      : fmt::format("the switch {} {}, but it is not proven that users reach it: {}",
                                                    now.names.is == intent::kind::unreadable ? "was put to" : "names", to, how.says);
      break;
    case outcome::undone:
      says = how.reached && *how.reached == a.from.slot
                 ? fmt::format("undone, {} stays live: {}", by.slots[a.from.slot], how.says)
                 : fmt::format("undone: the switch is as it was, and it can't be told what users reach: {}", how.says);
      break;
    case outcome::nothing_changed:
      says = fmt::format("nothing was changed: {}", how.says);
      break;
    case outcome::operator_took_over:
      says = fmt::format("someone else took over: {}", how.says);
      break;
    case outcome::cant_tell:
      says = fmt::format("whether something was changed can't be told: {}", how.says);
      break;
    case outcome::not_undone:
      says = how.says;
      break;
  }
  if (failed) says += fmt::format("; {}", text_of(*s.in_doubt.failed, now.at));
  event e{kind_of_end(a), a.why.flips() ? loudness_of_flip(a, how) : loudness(how, failed ? s.in_doubt.failed->count : 0), says, {}};
  e.with("outcome", a.why.flips() && how.how == outcome::rolled_back ? "flipped" : std::string(name_of(how.how)))
      .with("rule", a.why.rule)
      .with("seconds", to_seconds(how.took))
      .with("changed", how.changed);
  e.with("reached", how.reached ? by.slots[*how.reached] : std::string("can't tell"));
  if (how.how == outcome::rolled_back)
    e.with("release", a.to.release).with("previous", by.slots[a.from.slot]).with("previous_release", a.from.release);
  act(say{std::move(e)});
  return says;
}

}  // namespace flipback::deployment
