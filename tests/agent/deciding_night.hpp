#pragma once

#include "agent/deployment/decider.hpp"
#include "agent/judging/one_client.hpp"
#include "tests/agent/log_night.hpp"
#include "tests/agent/slots_night.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// A night of two slots from the log's lines to the decision: the traffic's probe, the rules, blame, the guards and the decider as they
/// ship, on one clock of the night's own. Blue was live and well, green is put in its place.
namespace flipback::deciding_night {

using namespace deployment;

struct decided {
  seconds at{};
  std::string rule;
  seconds breached{};  ///< when the first rule that rolls back was
};

class night {
 public:
  night(const std::vector<asking>& who, std::vector<fault> faults, unsigned seed, seconds before = log_night::well_before)
      : slots_(who, std::move(faults), seed), log_(access_log::recommended_keys(), {}, {}, before) {
    by_.slots = {"blue", "green"};
    by_.mode = config::mode::act;
    for (now_ = -before; now_ < 0s; now_ += 1s) log_.logs(now_ + 1s, slots_.second_of(blue, now_));
    log_.cut_over();
    log_.start_anew({at(0s)});
  }
  /// All from one address, for one path.
  night(std::vector<fault> faults, int each_second, unsigned seed)
      : night({{.each_second = static_cast<double>(each_second), .evenly = true}}, std::move(faults), seed) {}

  /// The first decision from the cutover to green on, or none until then.
  std::optional<decided> until(seconds end) {
    for (int i = 0; i < 5; ++i) look(blue, log_night::cutover - 5s + i * 1s);
    for (now_ = 0s; now_ < end && !decided_; now_ += 1s) one_second();
    return decided_;
  }
  /// When the first rule that rolls back was breached.
  [[nodiscard]] std::optional<seconds> breached() const { return breached_; }
  /// Whether a person was asked.
  [[nodiscard]] bool asked() const { return asked_; }
  /// What was said of rollbacks, each once.
  [[nodiscard]] const std::vector<std::string>& said() const { return said_; }

 private:
  [[nodiscard]] static instant at(seconds since_cutover) { return log_night::cutover + since_cutover; }
  [[nodiscard]] bool sick(slot_number slot) const { return slots_.sick(slot, now_); }

  void one_second() {
    log_.is_up(!sick(green), !sick(blue), !sick(green));
    log_.logs(now_ + 1s, slots_.second_of(green, now_));
    look(green, at(now_ + 1s));
    take(judged{});
  }

  void look(slot_number live, instant when) {
    clock_ = {when, wall_time{} + 24h * 365 * 50 + std::chrono::duration_cast<wall_time::duration>(when.time_since_epoch())};
    names_ = {intent::kind::names, live, {}, {}};
    sighting seen;
    seen.at = seen.begun = clock_;
    seen.names = names_;
    seen.fresh = true;
    for (const slot_number i : {blue, green}) seen.slots.push_back({!sick(i), answer_of(i), sick(i) ? "503" : "200"});
    seen.front_door = answer_of(live);
    seen.log.answered.assign(2, 0);
    take(looked{seen});
  }
  [[nodiscard]] reply answer_of(slot_number slot) const {
    if (sick(slot)) return {reply::kind::failing, 503, {}, {}, "503"};
    return {reply::kind::identified, 200, by_.slots[slot], slot == blue ? "v1" : "v2", "200"};
  }

  void take(const happening& what) {
    const present now{clock_, names_, rules_now(), {}, not_this_release()};  // asked of the state before it is moved away
    stepped done = step(std::move(s_), by_, now, what);
    s_ = std::move(done.after);
    for (action& a : done.actions) perform(a);
  }
  void perform(action& a) {
    if (const auto* anew = std::get_if<start_rules_anew>(&a)) log_.start_anew(*anew);
    if (const auto* w = std::get_if<tell_window>(&a)) log_.window(w->open);
    if (const auto* q = std::get_if<ask_stable>(&a))
      take(stable_answered{{q->epoch, q->slot, clock_.at, !sick(q->slot), q->slot == blue ? "v1" : "v2", sick(q->slot) ? "503" : "200"}});
    if (auto* q = std::get_if<ask_blame>(&a)) take(blame_answered{q->rule, q->epoch, q->condition, clock_.at, asked_both(*q)});
    if (std::holds_alternative<ask_ready>(a)) take(ready_looked{{clock_.at, {}}});
    if (const auto* b = std::get_if<begin_rollback>(&a)) take(prepared{b->what.id});
    if (const auto* e = std::get_if<say>(&a); e != nullptr && e->what.kind.starts_with("rollback.")) {
      said_.push_back(e->what.says);
      asked_ = asked_ || e->what.kind == "rollback.asked";
    }
    if (std::holds_alternative<give_leave>(a)) decided_ = {now_ + 1s, s_.under_way->why.rule, *breached_};
  }
  blame asked_both(const ask_blame& q) {
    const error_shares errors = errors_of(q.rule, q.condition);
    std::vector<tried> all;
    for (question& one : questions_from(errors.sample, slots_.chance())) {
      const slot_did live = slots_.asked(q.live, one.target, now_);
      const slot_did stable = slots_.asked(q.stable, one.target, now_);
      all.push_back({std::move(one), live, stable});
    }
    return judge(all, errors.errors == 0 ? 0 : static_cast<double>(errors.safe_errors) / static_cast<double>(errors.errors));
  }

  // As agent/judging has it, which reads the machine's clock.
  static bool goes_by(const rules::rule& of, telling what) {
    const auto does = [&](const rules::source& s) { return s.tells == what && s.name.starts_with("traffic."); };
    return std::ranges::any_of(std::span(of.sources).first(of.asks), does);
  }
  error_shares errors_of(const std::string& rule, instant since) {
    const auto found = std::ranges::find(log_.judged().rules(), rule, [](const rules::rule& r) { return r.from.name; });
    const instant cutover = log_.judged().cut_over_at().value_or(since);
    const error_shares newest = log_.errors().errors_since(std::max(cutover, since - 1min));
    if (!goes_by(*found, telling::errors)) return goes_by(*found, telling::slowness) ? of_slow(newest) : error_shares{};
    error_shares errors = log_.errors().errors_since(cutover);
    errors.sample = newest.sample;
    return errors;
  }
  std::vector<std::string> not_this_release() {
    std::vector<std::string> names;
    const rules::engine& judged = log_.judged();
    for (std::size_t i = 0; i < judged.rules().size(); ++i) {
      if (judged.was_true_before_cutover(i)) names.push_back(judged.rules()[i].from.name);
    }
    return names;
  }
  std::vector<rule_now> rules_now() {
    std::vector<rule_now> all;
    rules::engine& judged = log_.judged();
    for (std::size_t i = 0; i < judged.rules().size(); ++i) {
      const rules::verdict is = judged.verdict_of(i);
      const bool counts = is == rules::verdict::breached || is == rules::verdict::pending;
      if (judged.rules()[i].from.then == rules::consequence::rollback && counts && judged.true_since(i)) all.push_back(as_it_is(i));
    }
    return all;
  }
  rule_now as_it_is(std::size_t number) {
    rules::engine& judged = log_.judged();
    const rules::rule& of = judged.rules()[number];
    rule_now r;
    r.name = of.from.name;
    r.breached = judged.verdict_of(number) == rules::verdict::breached;
    r.true_since = *judged.true_since(number);
    r.lasts = of.from.lasting;
    const rules::evaluation when = judged.explain(number, clock_.at);
    r.why = when.says;
    r.holds = said_by(when.is);
    r.not_this_release = judged.was_true_before_cutover(number);
    rules::withholding withheld = judged.withheld(number, clock_.at);
    r.withheld = said_by(withheld.is);
    r.held_against_before = withheld.held_against_before;
    r.no_worse = std::move(withheld.no_worse);
    if (!r.breached) return r;
    if (!breached_) breached_ = now_ + 1s;
    if (goes_by(of, telling::errors)) {
      const error_shares errors = log_.errors().errors_since(judged.cut_over_at().value_or(r.true_since));
      r.one_client = one_client_of(errors);
      const double hung = errors.errors == 0 ? 0 : static_cast<double>(errors.hung_errors) / static_cast<double>(errors.errors);
      r.only_hang_ups = hung > 0 && when.in == unit::ratio && when.value && when.threshold && *when.value * (1 - hung) <= *when.threshold;
    }
    if (const auto mark = mark_of(s_, r.name, r.true_since)) {
      if (!mark_ || *mark_ < *mark) log_.count_anew(*(mark_ = mark));
      r.above_since_mark = said_by(judged.above_since(number, *mark, clock_.at));
    }
    return r;
  }
  static answer said_by(rules::truth t) {
    return t == rules::truth::yes ? answer::yes : t == rules::truth::no ? answer::no : answer::cant_tell;
  }

  two_slots slots_;
  terms by_;
  log_night::night log_;
  moment clock_;
  intent names_;
  std::optional<instant> mark_;
  state s_;
  seconds now_{};
  std::optional<decided> decided_;
  std::optional<seconds> breached_;
  bool asked_ = false;
  std::vector<std::string> said_;
};

}  // namespace flipback::deciding_night
