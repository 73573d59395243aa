#include "agent/deployment/decider.hpp"

#include "agent/deployment/deciding.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::deployment {

namespace {

constexpr duration asked_long_ago = std::chrono::seconds(30);  ///< an asker has limits of its own: past this it is taken for lost
constexpr duration epoch_kept_every = std::chrono::seconds(5);

bool is_asking(const std::optional<instant>& since, instant now) {
  return since && now - *since < asked_long_ago;
}

}  // namespace

void deciding::ask_for(const needs& missing, const std::string& rule, instant condition, const std::optional<placed>& to) {
  const instant at = now.at.at;
  const std::uint64_t number = s.track.now ? s.track.now->number : 0;
  if (missing.ready && !is_asking(s.asking_ready, at)) {
    s.asking_ready = at;
    act(ask_ready{});
  }
  if (missing.stable && to && !is_asking(s.asking_stable, at)) {
    s.asking_stable = at;
    act(ask_stable{number, to->slot});
  }
  if (!missing.blame || !s.track.now || !to) return;
  const auto asking = s.asking_blame.find(rule);
  if (asking != s.asking_blame.end() && at - asking->second < asked_long_ago) return;
  s.asking_blame[rule] = at;
  act(ask_blame{rule, number, condition, s.track.now->live.slot, to->slot});
}

void deciding::tell(std::string kind, severity how, std::string says) {
  event e{std::move(kind), how, std::move(says), {}};
  act(say{std::move(e)});
}

void deciding::after_new_epoch(bool forgive) {
  actions.insert(actions.begin(), start_rules_anew{s.track.now->began.at, forgive});
  s.said.clear();
  s.last.clear();
  s.questions.clear();
  s.blames.clear();
  s.both_failed.reset();
  s.asking_blame.clear();
  s.stable.reset();
  s.asking_stable.reset();
  s.ready.reset();
  if (s.order && s.order->is == cause::kind::approved) refuse_order("the release is no longer the one that was asked about");
  s.not_again_before.reset();
  const auto& back = s.track.now->back;
  act(stage_for{back ? std::optional(back->to.slot) : std::nullopt});
  keep_fact(fact::epoch);
}

/// Also while it is not seen yet that what was live before the restart still is.
std::uint64_t deciding::epoch_number() const {
  if (s.track.now) return s.track.now->number;
  return s.track.recalled ? s.track.recalled->then.number : 0;
}

void deciding::refuse_order(const std::string& why) {
  if (s.order && s.order->verb != 0) act(answer_verb{s.order->verb, false, why});
  s.order.reset();
}

void deciding::keep_fact(fact which) {
  act(keep{which, ++s.keeps});
  if (which == fact::epoch) s.seen_kept = now.at.at;
}

/// What is said of the window follows from time, the epoch and the rules alone.
void deciding::watch_window() {
  const tracking& t = s.track;
  bool open = false;
  if (t.now && t.now->is != epoch::kind::baseline && t.now->is != epoch::kind::rolled_back && !t.now->window_ended) {
    open = now.at.at <= t.now->began.at + by.window ||
           std::ranges::any_of(now.rules, [&](const rule_now& r) { return !r.breached && in_window(s, by, now, r); });
  }
  if (std::exchange(s.window_was_open, open) == open) return;
  event e{"deployment.window",
          severity::info,
          open ? fmt::format("the rollback window is open for {}",
                             format_duration(std::max<duration>(t.now->began.at + by.window - now.at.at, {})))
               : std::string("the rollback window is closed: rules alert only"),
          {}};
  e.with("open", open);
  act(say{std::move(e)});
  act(tell_window{open});
}

void deciding::say_stance(const std::string& rule, const weighed& w) {
  s.last[rule] = static_cast<std::uint8_t>(w.is);
  // To be asking is another thing than what was answered.
  if (!s.said.insert(fmt::format("{}/{}:{}", rule, name_of(w.by), s.last[rule])).second) return;
  constexpr std::array<std::string_view, 5> kinds{"", "rollback.waiting", "rollback.blocked", "rollback.asked", "rollback.withheld"};
  const bool sick = w.by == guard::stable || w.by == guard::ready;
  const severity how = w.is == stance::waits ? severity::info : sick ? severity::critical : severity::warning;
  event e{std::string(kinds.at(static_cast<std::size_t>(w.is))), how, fmt::format("{}: {}", rule, w.says), {}};
  e.with("rule", rule).with("guard", std::string(name_of(w.by)));
  act(say{std::move(e)});
}

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

/// Weighs everything that wants to act: a person's order first, then the rules that are breached, in their order.
void deciding::consider() {
  drop_what_is_over();
  watch_window();
  prepare_for_pending();
  if (s.under_way) return;
  if (s.order) {
    const weighed w = weigh(s, by, now, *s.order);
    auto to = s.order->is == cause::kind::ordered ? ordered_to(s, by, now)
              : s.track.now && s.track.now->back  ? std::optional(s.track.now->back->to)
                                                  : std::nullopt;
    const rule_now* rule = rule_named(s.order->rule);
    if (w.is == stance::act && to) {
      if (s.order->force) to->release = s.track.slots[to->slot].release;  // whatever was recorded: it is what is there
      begin(*std::exchange(s.order, std::nullopt), *to, w.says);
      return;
    }
    if (w.is != stance::waits || now.at.at - s.order->since.at > order_lives) {
      refuse_order(w.says);
      return;
    }
    ask_for(w.missing, s.order->rule, rule != nullptr ? rule->true_since : now.at.at, to);
  }
  weigh_rules();
}

/// The rules that are breached, in their order; while a person's order waits they say how they stand, and begin nothing.
void deciding::weigh_rules() {
  for (const rule_now& rule : now.rules) {
    if (!rule.breached) continue;
    cause why;
    why.rule = rule.name;
    why.since = now.at;
    weighed w = weigh(s, by, now, why);
    if (w.is == stance::act && s.order)
      w = {stance::waits, guard::none, "what a person has asked for comes first", {}};
    else if (w.is == stance::act && s.not_again_before && now.at.at < *s.not_again_before)
      continue;
    if (w.is == stance::act) {
      s.last[rule.name] = static_cast<std::uint8_t>(w.is);
      why.reason = rule.why;
      begin(why, s.track.now->back->to, w.says);
      return;
    }
    say_stance(rule.name, w);
    const auto to = s.track.now && s.track.now->back ? std::optional(s.track.now->back->to) : std::nullopt;
    if (!s.order) ask_for(w.missing, rule.name, rule.true_since, to);
    if (w.is == stance::asks) {
      approval& q = s.questions[rule.name];
      if (q.rule.empty()) q = {rule.name, now.at, {}};
      q.says = w.says;
    }
  }
}

/// While a rule is pending, what a breach will need is looked at already.
void deciding::prepare_for_pending() {
  if (!s.track.now || !s.track.now->back || s.under_way) return;
  const bool pending = std::ranges::any_of(now.rules, [&](const rule_now& r) { return !r.breached && in_window(s, by, now, r); });
  if (!pending) return;
  needs missing;
  missing.ready = !s.ready || now.at.at - s.ready->looked > readiness_counts_for;
  ask_for(missing, {}, {}, s.track.now->back->to);
}

const rule_now* deciding::rule_named(const std::string& name) const {
  const auto found = std::ranges::find(now.rules, name, &rule_now::name);
  return found == now.rules.end() ? nullptr : &*found;
}

void deciding::drop_what_is_over() {
  const auto breached = [&](const std::string& name) {
    const rule_now* rule = rule_named(name);
    if (rule == nullptr || !rule->breached) return false;
    const auto known = s.breaches.find(name);
    return known == s.breaches.end() || known->second == rule->true_since;
  };
  std::erase_if(s.said, [&](const std::string& key) { return !breached(key.substr(0, key.rfind('/'))); });
  std::erase_if(s.last, [&](const auto& entry) { return !breached(entry.first); });
  std::erase_if(s.blames, [&](const auto& entry) { return !breached(entry.first); });
  s.breaches.clear();
  for (const rule_now& rule : now.rules) {
    if (rule.breached) s.breaches[rule.name] = rule.true_since;
  }
  std::erase_if(s.questions, [&](const auto& entry) { return now.at.at - entry.second.asked.at > question_lives; });
  std::erase_if(s.failures, [&](const failure& f) { return now.at.at - f.at.at > remembered_for; });
  if (s.held && now.at.at >= s.held->until.at) {
    s.held.reset();
    keep_fact(fact::hold);
    tell("rollback.freed", severity::info, "the hold is over: automatic rollbacks act again");
  }
}

void deciding::on(const started& e) {
  s.track.recalled = e.recalled;
  s.track.departures = e.departures;
  s.held = e.held;
  s.latched = e.latched;
  s.failures = e.failures;
  for (const auto& [what, why] : e.unreadable) {
    s.unreadable.insert(what);
    tell("store.unreadable", severity::critical,
         fmt::format("what was remembered of the {} can't be read ({}): until the next cutover every rollback waits for `flipback approve`",
                     what, why));
  }
  if (!e.cut_off) return;
  s.under_way = e.cut_off;
  s.under_way->is = attempt::phase::changing;
  s.under_way->recovery = true;
  if (e.recalled) s.under_way->epoch = e.recalled->then.number;  // the journal knows of none
  act(begin_rollback{*s.under_way});
}

/// Whether a rollback rule was breached or pending on the release that is live, when it was left if it is being left. What began within a
/// look before the first witness of another may be that one's.
bool deciding::is_troubled() const {
  const tracking& t = s.track;
  if (!t.now) return false;
  const instant until = t.arriving ? t.arriving->first.at - by.watch_every : now.at.at;
  return std::ranges::any_of(now.rules, [&](const rule_now& r) { return r.true_since >= t.now->began.at && r.true_since <= until; });
}

void deciding::on(const looked& e) {
  if (s.under_way && s.under_way->is == attempt::phase::changing) {
    see_slots(s.track, e.seen, by);
    s.track.names = e.seen.names;
    return;
  }
  const bool knew = s.track.now.has_value();
  noticed found = see(s.track, e.seen, by, is_troubled());
  for (event& told : found.told) act(say{std::move(told)});
  const bool recalled = !knew && s.track.now && !found.new_epoch;
  if (found.new_epoch) {
    after_new_epoch(found.was_rolled_back);
    const epoch::kind how = s.track.now->is;
    if (how == epoch::kind::switched || how == epoch::kind::in_place) s.unreadable.clear();
    if (s.latched) {
      // A cutover that is seen only after a restart may lie before the attempt: then that was made on what is live now.
      if (s.latched->shut.at >= s.track.now->began.at)
        s.latched->epoch = s.track.now->number;
      else
        s.latched.reset();
      keep_fact(fact::latch);
    }
    // What the rules say at this instant speaks of the epoch before.
    stale_rules = true;
  } else if (recalled) {
    actions.insert(actions.begin(), start_rules_anew{s.track.now->began.at, false});
    act(stage_for{s.track.now->back ? std::optional(s.track.now->back->to.slot) : std::nullopt});
    stale_rules = true;
  }
  if (s.track.now && (!s.seen_kept || now.at.at - *s.seen_kept >= epoch_kept_every)) keep_fact(fact::epoch);
  if (!s.ready && !is_asking(s.asking_ready, now.at.at)) ask_for({.ready = true}, {}, {}, std::nullopt);
}

void deciding::on(const stable_answered& e) {
  s.asking_stable.reset();
  if (s.track.now && e.found.epoch != s.track.now->number) return;
  s.stable = e.found;
  if (!e.found.well) s.track.slots[e.found.slot].sick = e.found.asked;
}

void deciding::on(const blame_answered& e) {
  s.asking_blame.erase(e.rule);
  const rule_now* rule = rule_named(e.rule);
  const bool of_now = s.track.now && e.epoch == s.track.now->number && rule != nullptr && rule->true_since == e.condition;
  if (!of_now) return;
  blame_standing& b = s.blames[e.rule];
  if (b.epoch != e.epoch || b.condition != e.condition) b = {e.epoch, e.condition, {}, {}, {}};
  b.asked = e.asked;
  b.newest = e.found;
  // What counts afterwards has begun after the answer.
  if (e.found.is == blame::kind::both_well && !b.first_both_well) b.first_both_well = now.at.at;
  if (e.found.is == blame::kind::both_fail) s.both_failed = now.at.at;
}

void deciding::on(const ready_looked& e) {
  s.asking_ready.reset();
  const bool of_now = !s.track.now || e.found.looked >= s.track.now->began.at;
  if (of_now) s.ready = e.found;
  std::set<std::string> lacking;
  for (const lack& l : e.found.lacks) {
    lacking.insert(l.what);
    if (s.lacks_said.contains(l.what)) continue;
    event told{"deployment.not_ready", l.blocking ? severity::critical : severity::warning,
               l.type.empty() ? l.what : fmt::format("{}; {}", l.what, l.type), {}};
    told.with("blocking", l.blocking);
    act(say{std::move(told)});
  }
  s.lacks_said = std::move(lacking);
}

/// The last moment before anything is changed: everything is weighed once more, as it is now.
void deciding::on(const prepared& e) {
  if (!s.under_way || s.under_way->id != e.id || s.under_way->is == attempt::phase::changing) return;
  s.under_way->is = attempt::phase::prepared;
}

void deciding::ask_leave() {
  if (!s.under_way || s.under_way->is != attempt::phase::prepared) return;
  attempt& a = *s.under_way;
  const std::uint64_t number = epoch_number();
  weighed w = weigh(s, by, now, a.why);
  const bool knew = a.epoch != 0 || a.why.is != cause::kind::ordered;  // a person's order needs no known effect
  if (knew && a.epoch != number) w = {stance::tells, guard::condition, "a cutover came in between", {}};
  const bool same_way = a.why.is == cause::kind::ordered || (s.track.now && s.track.now->back && s.track.now->back->to == a.to);
  if (w.is == stance::act && !same_way) w = {stance::tells, guard::way_back, "the way back is another one now", {}};
  if (w.is == stance::waits && now.at.at - a.begun.at < carried_past_the_window) {
    const rule_now* rule = rule_named(a.why.rule);
    ask_for(w.missing, a.why.rule, rule != nullptr ? rule->true_since : now.at.at, a.to);
    return;
  }
  if (w.is != stance::act) {
    s.not_again_before = now.at.at + ask_again_every;
    if (a.why.is == cause::kind::rule && rule_named(a.why.rule) != nullptr) say_stance(a.why.rule, w);
    act(stop_rollback{a.id, w.says});
    return;
  }
  a.is = attempt::phase::changing;
  event decided{"rollback.decided",
                severity::critical,
                fmt::format("rolling back to {}: {} ({})", text_of(a.to, by), a.why.by.empty() ? a.why.rule : a.why.by, a.why.reason),
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
  s.latched = latch{s.under_way->epoch, s.under_way->from, s.under_way->why.rule, now.at, {}};
  keep_fact(fact::latch);
}

void deciding::on(const ended& e) {
  if (!s.under_way || s.under_way->id != e.id) return;
  const attempt a = *std::exchange(s.under_way, std::nullopt);
  using rollback::outcome;
  const std::string text = say_ended(a, e.how);
  const bool on_stable = e.how.how == outcome::rolled_back || e.how.how == outcome::unproven;
  if (on_stable) {
    s.failures.push_back({a.from, now.at});
    keep_fact(fact::failures);
    noticed found = rolled_back(s.track, a.to, now.at, by);
    if (e.how.how == outcome::unproven) s.track.is = agreement::unknown;
    const std::uint64_t number = s.track.now->number;
    after_new_epoch(found.was_rolled_back);
    stale_rules = true;
    s.latched = latch{number, a.from, a.why.rule, now.at, std::string(name_of(e.how.how))};
  } else if (e.how.changed) {
    s.latched = latch{epoch_number(), a.from, a.why.rule, now.at,
                      fmt::format("tried at {:%H:%M}, {}: {}", fmt::gmtime(std::chrono::system_clock::to_time_t(a.begun.wall)),
                                  name_of(e.how.how), e.how.says)};
  } else {
    // What an earlier life shut at a change that never reached the disk.
    if (a.recovery && s.latched && s.latched->epoch == a.epoch) s.latched.reset();
    s.not_again_before = now.at.at + ask_again_every;
  }
  keep_fact(fact::latch);
  if (s.track.now) keep_fact(fact::epoch);  // else what is remembered of it stays
  act(close_journal{a.id});
  act(look_at_once{});
  if (a.why.verb != 0) act(answer_verb{a.why.verb, e.how.how == outcome::rolled_back, text});
}

std::string deciding::say_ended(const attempt& a, const rollback::ending& how) {
  using rollback::outcome;
  const std::string to = text_of(a.to, by);
  std::string says;
  switch (how.how) {
    case outcome::rolled_back:
      says = fmt::format("{} is live, proven in {}: {}", to, format_duration(how.took), how.says);
      break;
    case outcome::unproven:
      says = fmt::format("the switch names {}, but it is not proven that users reach it: {}", to, how.says);
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
      says = fmt::format("a person took over: {}", how.says);
      break;
    case outcome::not_undone:
      says = how.says;
      break;
  }
  const bool quiet = how.how == outcome::rolled_back || how.how == outcome::nothing_changed;
  event e{a.recovery ? "rollback.recovered" : "rollback.closed", quiet ? severity::warning : severity::critical, says, {}};
  e.with("outcome", std::string(name_of(how.how)))
      .with("rule", a.why.rule)
      .with("seconds", to_seconds(how.took))
      .with("changed", how.changed);
  e.with("reached", how.reached ? by.slots[*how.reached] : std::string("can't tell"));
  act(say{std::move(e)});
  return says;
}

void deciding::on(const stored& e) {
  const bool was = s.unstored.contains(e.fact);
  if (e.trouble.empty())
    s.unstored.erase(e.fact);
  else
    s.unstored[e.fact] = e.trouble;
  if (!e.trouble.empty() && !was)
    tell("store.failed", severity::critical, fmt::format("the {} is not on disk and would not outlast a restart: {}", e.fact, e.trouble));
  if (e.trouble.empty() && was) tell("store.stored", severity::info, fmt::format("the {} is on disk now", e.fact));
  const auto waiting = s.when_stored.find(e.fact);
  if (waiting == s.when_stored.end()) return;
  std::erase_if(waiting->second, [&](const state::answer_to_come& a) {
    if (a.serial > e.serial) return false;
    act(answer_verb{a.verb, true, e.trouble.empty() ? a.text : fmt::format("{}; but it is not on disk and would not outlast a restart: {}", a.text, e.trouble)});
    return true;
  });
  if (waiting->second.empty()) s.when_stored.erase(waiting);
}

stepped step(state before, const terms& by, const present& now, const happening& what) {
  deciding d{std::move(before), by, now};
  d.s.track.slots.resize(by.slots.size());
  std::visit([&](const auto& e) { d.on(e); }, what);
  if (!d.stale_rules) {
    d.consider();
    d.ask_leave();
  } else {
    d.watch_window();
    d.ask_leave();
  }
  return {std::move(d.s), std::move(d.actions)};
}

std::optional<instant> mark_of(const state& s, const std::string& rule, instant condition) {
  std::optional<instant> mark;  // nothing is earlier than any time
  const auto counts = [&](const std::optional<instant>& at) {
    if (at && *at >= condition - sick_alike) mark = std::max(mark, at);
  };
  counts(s.both_failed);
  if (s.track.now && s.track.now->back) counts(s.track.slots[s.track.now->back->to.slot].sick);
  const auto found = s.blames.find(rule);
  if (found != s.blames.end() && found->second.condition == condition) counts(found->second.first_both_well);
  return mark;
}

std::string_view name_of(fact f) {
  constexpr std::array<std::string_view, 4> names{"epoch", "hold", "latch", "failures"};
  return names.at(static_cast<std::size_t>(f));
}

}  // namespace flipback::deployment
