#include "rules/engine.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace flipback::rules {

namespace {

// How much there must be in a window is asked of `when` alone.
constexpr least_fill any{};
// A breach rests on full windows: one that fills is no part of it, and what is asked of it withholds nothing.
constexpr least_fill unless_full{.filling = truth::no};

}  // namespace

engine::engine(compiled from) : from_(std::move(from)), states_(from_.rules.size()), readers_(from_.all.size()) {
  for (std::size_t number = 0; number < from_.rules.size(); ++number) {
    const rule& of = from_.rules[number];
    for (const std::size_t series : of.reads) readers_[series].push_back(number);
    dirty_.push_back(number);
    const auto is_traffic = [](const source& s) { return s.tells != telling::nothing; };
    if (of.from.then == consequence::rollback && std::ranges::any_of(of.sources, is_traffic)) on_traffic_.push_back(number);
  }
}

std::optional<std::size_t> engine::series_named(const std::string& samples) const {
  const auto at = from_.series_by_name.find(samples);
  return at == from_.series_by_name.end() ? std::nullopt : std::optional(at->second);
}

void engine::add(std::size_t series, const sample& s) {
  from_.all[series].add(s);
  for (const std::size_t number : readers_[series]) {
    if (!std::exchange(states_[number].dirty, true)) dirty_.push_back(number);
  }
}

std::vector<change> engine::settle(instant now) {
  while (!queue_.empty() && queue_.top().at <= now) {
    const entry next = queue_.top();
    queue_.pop();
    state& of = states_[next.rule];
    if (of.queued == next.at) of.queued = instant::max();
    if (!std::exchange(of.dirty, true)) dirty_.push_back(next.rule);
  }
  std::vector<change> changes;
  std::ranges::sort(dirty_);  // in the order of the rules, however they were woken
  for (const std::size_t number : std::exchange(dirty_, {})) {
    states_[number].dirty = false;
    evaluate_rule(number, now, changes);
    enqueue(number, now);
  }
  watch_blindness(now, changes);
  return changes;
}

std::optional<instant> engine::due() const {
  if (!dirty_.empty()) return instant::min();
  const instant next = queue_.empty() ? instant::max() : queue_.top().at;
  const instant blind = blind_since_ && !blind_said_ ? *blind_since_ + blind_after : instant::max();
  return std::min(next, blind) == instant::max() ? std::nullopt : std::optional(std::min(next, blind));
}

verdict_terms engine::terms(const rule& of) {
  return {of.from.lasting, of.from.gap, of.until != nullptr};
}

instant engine::earliest(const rule& of) const {
  return cutover_ ? *cutover_ + of.from.after : instant::min();
}

evaluation engine::evaluate_when(const rule& of, instant now, bool explain) {
  return evaluate_part(of.when, of.least, of, now, explain);
}

evaluation engine::evaluate_part(const branch& text, least_fill least, const rule& of, instant now, bool explain) {
  for (const std::size_t series : of.reads) from_.all[series].advance(now);
  return evaluate(*text, of.sources, from_.all, least, now, explain);
}

void engine::evaluate_rule(std::size_t number, instant now, std::vector<change>& into) {
  const rule& of = from_.rules[number];
  state& s = states_[number];
  const evaluation when = evaluate_when(of, now, false);
  const bool may_end = of.until && s.verdicts.current() == verdict::breached;
  const truth until = may_end ? evaluate_part(of.until, any, of, now).is : truth::unknown;
  s.was_true.see(when.is == truth::yes, now);
  const verdict after = s.verdicts.step(terms(of), when.is, until, earliest(of), now);
  if (const verdict before = std::exchange(s.told, after); before != after) {
    change c{change_kind::verdict,         number, before, after, now, s.verdicts.true_since(), evaluate_when(of, now, true),
             not_this_release(number, now)};
    into.push_back(std::move(c));
  }
  s.last = when.is;
}

/// A window that fills is not blind, and a rule that can be judged sees for the others.
void engine::watch_blindness(instant now, std::vector<change>& into) {
  const auto is_judged = [&](std::size_t number) { return states_[number].last != truth::unknown; };
  if (!window_open_ || on_traffic_.empty() || std::ranges::any_of(on_traffic_, is_judged)) {
    blind_since_.reset();
    blind_said_ = false;
    return;
  }
  if (!blind_since_) blind_since_ = std::max(now, cutover_ ? *cutover_ + filling_for : now);
  if (blind_said_ || now - *blind_since_ < blind_after) return;
  blind_said_ = true;
  const std::size_t first = on_traffic_.front();
  const verdict current = states_[first].verdicts.current();
  into.push_back({change_kind::blind, first, current, current, now, blind_since_, evaluate_when(from_.rules[first], now, true), false});
}

void engine::enqueue(std::size_t number, instant now) {
  const rule& of = from_.rules[number];
  state& s = states_[number];
  instant next = s.verdicts.due(terms(of), earliest(of)).value_or(instant::max());
  for (const std::size_t series : of.reads) next = std::min(next, from_.all[series].stale_at(now).value_or(instant::max()));
  if (next >= s.queued) return;  // an earlier entry will look again
  s.queued = next;
  queue_.push({next, number});
}

void engine::cutover(instant at, bool forgive, bool recalled) {
  // Told anew after a reload, and placed by the calendar: the same one.
  if (cutover_ && std::chrono::abs(at - *cutover_) < same_cutover) return;
  cutover_ = at;
  for (series& of : from_.all) of.cutover(at, forgive, recalled);
  blind_since_.reset();
  blind_said_ = false;
  for (std::size_t number = 0; number < from_.rules.size(); ++number) {
    if (from_.rules[number].from.then != consequence::rollback) continue;
    state& s = states_[number];
    if (forgive) s.was_true.forget();
    s.not_this_release = s.was_true.within(at - before_cutover, at);
    s.verdicts.reset();
    s.last = truth::unknown;
    if (!std::exchange(s.dirty, true)) dirty_.push_back(number);
  }
}

void engine::window(bool open) {
  window_open_ = open;
  for (std::size_t number = 0; number < states_.size(); ++number) {
    if (from_.rules[number].from.then == consequence::rollback && !std::exchange(states_[number].dirty, true)) dirty_.push_back(number);
  }
}

void engine::unwatched(instant from, instant to) {
  for (std::size_t number = 0; number < states_.size(); ++number) {
    states_[number].verdicts.unwatched(terms(from_.rules[number]), from, to);
    if (!std::exchange(states_[number].dirty, true)) dirty_.push_back(number);
  }
}

void engine::resume(const seen_before& known) {
  const auto same = std::ranges::find_if(from_.rules, [&](const rule& r) { return meaning_of(r.from) == known.meaning; });
  if (same == from_.rules.end() || !cutover_ || known.since < *cutover_) return;
  const auto number = static_cast<std::size_t>(same - from_.rules.begin());
  if (same->from.then != consequence::rollback || states_[number].verdicts.true_since()) return;
  states_[number].verdicts.resume(known.since, known.until, known.bridged);
  if (!std::exchange(states_[number].dirty, true)) dirty_.push_back(number);
}

void engine::adopt(engine&& before) {
  cutover_ = before.cutover_;
  window_open_ = before.window_open_;
  blind_since_ = before.blind_since_;
  blind_said_ = before.blind_said_;
  for (const auto& [name, number] : from_.series_by_name) {
    const auto old = before.from_.series_by_name.find(name);
    if (old != before.from_.series_by_name.end()) from_.all[number].adopt(before.from_.all[old->second]);
  }
  for (std::size_t number = 0; number < states_.size(); ++number) {
    const rule_source& mine = from_.rules[number].from;
    const auto same = std::ranges::find_if(before.from_.rules, [&](const rule& r) { return same_meaning(r.from, mine); });
    if (same == before.from_.rules.end()) continue;
    const bool dirty = states_[number].dirty;
    states_[number] = before.states_[static_cast<std::size_t>(same - before.from_.rules.begin())];
    states_[number].dirty = dirty;
    states_[number].queued = instant::max();
  }
}

withholding engine::withheld(std::size_t number, instant now) {
  const rule& of = from_.rules[number];
  if (!of.unless) return {};
  withholding made{evaluate_part(of.unless, unless_full, of, now).is, false, {}};
  made.held_against_before = of.asks_worse && made.is != truth::unknown;
  if (!of.asks_worse || made.is != truth::yes) return made;
  least_fill otherwise = unless_full;
  otherwise.is_worse = true;
  if (evaluate_part(of.unless, otherwise, of, now).is != truth::yes)
    made.no_worse = evaluate_part(of.unless, unless_full, of, now, true).says;
  return made;
}

bool engine::not_this_release(std::size_t number, instant now) {
  return states_[number].not_this_release && !withheld(number, now).held_against_before;
}

std::pair<acting, std::string> engine::would_act(std::size_t number, instant now) {
  const rule& of = from_.rules[number];
  if (of.from.then != consequence::rollback || verdict_of(number) != verdict::breached) return {acting::no, {}};
  if (evaluate_when(of, now, false).is != truth::yes) return {acting::no, "the condition is not true now"};
  withholding found = withheld(number, now);
  if (!found.no_worse.empty()) return {acting::asks, std::move(found.no_worse)};
  if (found.is == truth::yes) return {acting::withheld, "the rule's unless is true"};
  if (was_true_before_cutover(number) && !found.held_against_before)
    return {acting::asks, "the condition was true before the cutover already"};
  return {acting::yes, {}};
}

void engine::count_anew() {
  for (const std::size_t number : from_.anew) from_.all[number].only_since(from_.all[number].newest_at());
}

truth engine::above_since(std::size_t number, instant since, instant now) {
  const rule& of = from_.rules[number];
  if (std::ranges::none_of(of.sources, [](const source& s) { return s.windowed && s.since_cutover; }))
    return evaluate_when(of, now, false).is;  // no window remembers anything
  std::vector<series> only = from_.all;
  std::vector<source> shorter = of.sources;
  for (source& s : shorter) {
    if (!s.windowed || s.before) continue;
    if (s.anew) s.series = *s.anew;  // what began before, and ended after, says nothing of how it is since
    s.length = part_of(s.length);
    s.window = only[s.series].window(s.length, series::start::full);
    s.has_longest = false;
  }
  for (const std::size_t number_of : of.reads) only[number_of].only_since(since);
  for (const source& s : shorter) only[s.series].advance(now);
  return evaluate(*of.when, shorter, only, {.by_share = true}, now, false).is;
}

evaluation engine::explain(std::size_t number, instant now) {
  const rule& of = from_.rules[number];
  return evaluate_when(of, now, true);
}

rule_explanation engine::explanation(std::size_t number, instant now) {
  const rule& of = from_.rules[number];
  const state& s = states_[number];
  rule_explanation made{s.verdicts.current(),
                        s.verdicts.true_since(),
                        breaches_at(number),
                        s.verdicts.unknown_since(),
                        not_this_release(number, now),
                        {},
                        {},
                        {}};
  for (const std::size_t series : of.reads) from_.all[series].advance(now);
  const auto tree = [&](const branch& text, least_fill least) {
    return text ? flipback::rules::explain(*text, of.sources, from_.all, least, now) : std::vector<explanation_row>{};
  };
  made.when = tree(of.when, of.least);
  made.until = tree(of.until, any);
  made.unless = tree(of.unless, unless_full);
  return made;
}

std::vector<std::pair<std::string, double>> engine::readings(instant now) {
  std::map<std::string, double> all;
  for (series& of : from_.all) of.advance(now);
  for (const rule& of : from_.rules) {
    for (const source& s : of.sources) {
      const auto value = read(s, from_.all, now);
      // A rollback rule's window begins at the cutover: that reading is the rule's value, not the signal's.
      const bool ahead = s.since_cutover && cutover_ && all.contains(label(s));
      if (value && !ahead) all.insert_or_assign(label(s), *value);
    }
  }
  return {all.begin(), all.end()};
}

std::optional<instant> engine::breaches_at(std::size_t number) const {
  if (states_[number].verdicts.current() != verdict::pending) return std::nullopt;
  const rule& of = from_.rules[number];
  return states_[number].verdicts.due(terms(of), earliest(of));
}

}  // namespace flipback::rules
