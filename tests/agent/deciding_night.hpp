#pragma once

#include "agent/deployment/decider.hpp"
#include "tests/agent/log_night.hpp"

#include <deque>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

/// A night of two slots from the log's lines to the decision: the traffic's probe, the rules and the decider as they ship, on one clock of
/// the night's own. Blue was live and well, green is put in its place; what a slot fails, it fails to users and to whoever asks it alike.
namespace flipback::deciding_night {

using namespace deployment;
using namespace std::chrono_literals;
using std::chrono::seconds;

inline constexpr slot_number blue = 0;
inline constexpr slot_number green = 1;

/// From when to when a slot fails which share of what it is asked.
struct fault {
  slot_number slot;
  seconds from;
  seconds until;
  double share;
  bool sick = false;   ///< its health says so, too
  bool hangs = false;  ///< what it fails gets no answer from it, but nginx's 504 when a minute is over
};
inline constexpr seconds given_up_after = 60s;
inline constexpr log_night::request given_up{
    .status = 504, .request_time = "60.000", .upstream_status = "504", .header_time = "-", .response_time = "60.000"};

struct decided {
  seconds at{};
  std::string rule;
  seconds breached{};  ///< when the first rule that rolls back was
};

class night {
 public:
  night(std::vector<fault> faults, int each_second, unsigned seed) : faults_(std::move(faults)), each_second_(each_second), chance_(seed) {
    by_.slots = {"blue", "green"};
    by_.mode = config::mode::act;
    log_.after_a_good_release(each_second);
    log_.start_anew({at(0s)});
  }

  /// The first decision from the cutover to green on, or none until then.
  std::optional<decided> until(seconds end) {
    for (int i = 0; i < 5; ++i) look(blue, log_night::cutover - 5s + i * 1s);
    for (now_ = 0s; now_ < end && !decided_; now_ += 1s) one_second();
    return decided_;
  }
  /// When the first rule that rolls back was breached.
  [[nodiscard]] std::optional<seconds> breached() const { return breached_; }
  /// What was said of rollbacks, each once.
  [[nodiscard]] const std::vector<std::string>& said() const { return said_; }

 private:
  [[nodiscard]] static instant at(seconds since_cutover) { return log_night::cutover + since_cutover; }
  /// Null while it does well.
  [[nodiscard]] const fault* fault_of(slot_number slot) const {
    const auto found = std::ranges::find_if(faults_, [&](const fault& f) { return f.slot == slot && now_ >= f.from && now_ < f.until; });
    return found == faults_.end() ? nullptr : &*found;
  }
  [[nodiscard]] bool sick(slot_number slot) const { return fault_of(slot) != nullptr && fault_of(slot)->sick; }
  [[nodiscard]] bool hangs(slot_number slot) const { return fault_of(slot) != nullptr && fault_of(slot)->hangs; }
  bool fails(slot_number slot) {
    return std::uniform_real_distribution<>(0, 1)(chance_) < (fault_of(slot) == nullptr ? 0 : fault_of(slot)->share);
  }

  void one_second() {
    int failed = 0;
    for (int i = 0; i < each_second_; ++i) failed += fails(green) ? 1 : 0;
    log_.is_up(!sick(green), !sick(blue), !sick(green));
    hanging_.push_back(hangs(green) ? failed : 0);
    int ended = 0;
    if (hanging_.size() > given_up_after.count()) {
      ended = hanging_.front();
      hanging_.pop_front();
    }
    log_.logs(now_ + 1s, {{each_second_ - failed, log_night::well}, {hangs(green) ? 0 : failed, log_night::failing}, {ended, given_up}});
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
    const present now{clock_, names_, rules_now()};  // asked of the state before it is moved away
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
    if (const auto* e = std::get_if<say>(&a); e != nullptr && e->what.kind.starts_with("rollback.")) said_.push_back(e->what.says);
    if (std::holds_alternative<give_leave>(a)) decided_ = {now_ + 1s, s_.under_way->why.rule, *breached_};
  }
  blame asked_both(const ask_blame& q) {
    std::vector<tried> all(most_questions, {{"GET", "/api", 500, to_seconds(given_up_after)}, {}, {}});
    for (tried& one : all) {
      one.live = did(q.live);
      one.stable = did(q.stable);
    }
    return judge(all, 1);
  }
  slot_did did(slot_number slot) {
    const bool failed = fails(slot);
    if (failed && hangs(slot)) return {slot_did::kind::slow, 0};
    return {slot_did::kind::answered, failed ? 500U : 200U};
  }

  /// As agent/judging has it, but for what a probe knows of clients.
  std::vector<rule_now> rules_now() {
    std::vector<rule_now> all;
    rules::engine& judged = log_.judged();
    for (std::size_t i = 0; i < judged.rules().size(); ++i) {
      const rules::rule_source& of = judged.rules()[i].from;
      const rules::verdict is = judged.verdict_of(i);
      const bool counts = is == rules::verdict::breached || is == rules::verdict::pending;
      if (of.then != rules::consequence::rollback || !counts || !judged.true_since(i)) continue;
      rule_now r;
      r.name = of.name;
      r.breached = is == rules::verdict::breached;
      if (r.breached && !breached_) breached_ = now_ + 1s;
      r.true_since = *judged.true_since(i);
      r.lasts = of.lasting;
      const rules::evaluation when = judged.explain(i, clock_.at);
      r.why = when.says;
      r.holds = said_by(when.is);
      r.not_this_release = judged.not_this_release(i, clock_.at);
      if (const auto mark = mark_of(s_, r.name, r.true_since)) {
        if (!mark_ || *mark_ < *mark) log_.count_anew(*(mark_ = mark));
        r.above_since_mark = said_by(judged.above_since(i, *mark, clock_.at));
      }
      all.push_back(std::move(r));
    }
    return all;
  }
  static answer said_by(rules::truth t) {
    return t == rules::truth::yes ? answer::yes : t == rules::truth::no ? answer::no : answer::cant_tell;
  }

  std::vector<fault> faults_;
  int each_second_;
  std::mt19937 chance_;
  terms by_;
  log_night::night log_;
  moment clock_;
  intent names_;
  std::optional<instant> mark_;
  std::deque<int> hanging_;  ///< how many began to hang in each second of the newest minute
  state s_;
  seconds now_ = -log_night::well_before;
  std::optional<decided> decided_;
  std::optional<seconds> breached_;
  std::vector<std::string> said_;
};

}  // namespace flipback::deciding_night
