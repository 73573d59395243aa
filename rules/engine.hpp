#pragma once

#include "rules/compile.hpp"
#include "rules/explanation.hpp"
#include "rules/verdict.hpp"

#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flipback::rules {

enum class change_kind : std::uint8_t {
  verdict,  ///< a rule says something else than before
  blind     ///< no rollback rule on the traffic can be judged, for too long, while they should watch; `rule` is the first of them
};

/// Something that the rules have to say. One for each change of a verdict, never two.
struct change {
  change_kind kind = change_kind::verdict;
  std::size_t rule = 0;
  verdict from = verdict::unknown;
  verdict to = verdict::unknown;
  instant at;
  std::optional<instant> true_since;  ///< when the condition began
  evaluation why;
  bool not_this_release = false;  ///< the condition was true before the cutover already: may ask, never act
};

/// What the rules alone say to a rollback: there is no ground for one; its `unless` withholds it; only a person may; nothing stands in its
/// way.
enum class acting : std::uint8_t { no, withheld, asks, yes };

/// Whether a rule's `unless` withholds its action, and what that rests on.
struct withholding {
  truth is = truth::no;
  bool held_against_before = false;  ///< the rule asks whether it is worse than before the cutover, and that can be told
  std::string no_worse;              ///< that it is not, in words, where nothing else withholds the action; else empty
};

/// What an earlier life has seen of a rollback rule's condition since the cutover that is the newest now, too.
struct seen_before {
  std::string meaning;  ///< of the rule: see `meaning_of`
  instant since;        ///< it was true from here
  instant until;        ///< to here
  duration bridged{};   ///< with so much in between of which nothing is known
};

/// All that can be said of a rule now.
struct rule_explanation {
  verdict is = verdict::unknown;
  std::optional<instant> true_since;
  std::optional<instant> breaches_at;  ///< of a pending one, if its condition stays true
  std::optional<instant> unknown_since;
  bool not_this_release = false;
  std::vector<explanation_row> when;
  std::vector<explanation_row> until;   ///< empty: the rule has none
  std::vector<explanation_row> unless;  ///< the same
};

/// Evaluates rules as samples and time go by. Pure: the same samples and times give the same changes. Times never go back.
class engine {
 public:
  static constexpr duration blind_after = std::chrono::minutes(2);
  static constexpr duration filling_for = std::chrono::seconds(150);  ///< after a cutover: nobody is blind whose windows fill
  static constexpr duration before_cutover = std::chrono::minutes(5);
  static constexpr duration same_cutover = std::chrono::milliseconds(100);

  engine() = default;
  explicit engine(compiled from);

  /// The series that takes the samples of this name; nothing where no rule reads them.
  [[nodiscard]] std::optional<std::size_t> series_named(const std::string& samples) const;
  void add(std::size_t series, const sample& s);
  /// The time of the newest sample of a series; the beginning of time where there is none.
  [[nodiscard]] instant known_until(std::size_t series) const { return from_.all[series].newest_at(); }

  [[nodiscard]] const series& series_at(std::size_t number) const { return from_.all[number]; }

  /// Evaluates the rules that what was added concerns, and those whose time has come.
  std::vector<change> settle(instant now);
  /// When `settle` should be called next though no sample arrives.
  [[nodiscard]] std::optional<instant> due() const;

  /// What users reach has changed: rollback rules start empty. Less than `same_cutover` from the one before: it is that one. `forgive`: the
  /// release that was left was rolled back; what was true of it is no ground to doubt what is true of the next.
  /// `recalled`: it lies before this life, which has seen nothing of the release before.
  void cutover(instant at, bool forgive = false, bool recalled = false);
  /// Both slots were asked for what fails, and failed or were well alike: what `above_since` goes by is counted anew, of requests that
  /// begin from now on.
  void count_anew();
  /// When that was last; nothing where it was never told.
  [[nodiscard]] std::optional<instant> cut_over_at() const { return cutover_; }
  /// Whether the rollback window is open: only then is blindness said.
  void window(bool open);
  [[nodiscard]] bool window_is_open() const { return window_open_; }
  /// Nobody watched in between (a stall, a restart, a pause).
  void unwatched(instant from, instant to);
  /// Goes on with what was true in an earlier life, where the rule is the same: what lies in between was not watched. Directly after the
  /// cutover was recalled.
  void resume(const seen_before& known);
  /// Takes over the samples, and the state of the rules that are the same, from the engine before a reload.
  void adopt(engine&& before);

  [[nodiscard]] const std::vector<rule>& rules() const { return from_.rules; }
  [[nodiscard]] verdict verdict_of(std::size_t rule) const { return states_[rule].verdicts.current(); }
  [[nodiscard]] std::optional<instant> true_since(std::size_t rule) const { return states_[rule].verdicts.true_since(); }
  [[nodiscard]] duration bridged(std::size_t rule) const { return states_[rule].verdicts.bridged(); }
  /// Whether the condition was true before the cutover already, of another release; where the rule asks whether it is worse than before and
  /// that can be told, that is the answer instead.
  [[nodiscard]] bool not_this_release(std::size_t rule, instant now);
  [[nodiscard]] bool was_true_before_cutover(std::size_t rule) const { return states_[rule].not_this_release; }
  [[nodiscard]] withholding withheld(std::size_t rule, instant now);
  /// Of a rule that rolls back: whether it would now, as far as the rules can tell; and in words what stands in its way.
  [[nodiscard]] std::pair<acting, std::string> would_act(std::size_t rule, instant now);
  /// Whether what came after `since` is above the rule's limits by itself, in windows a fifth as long, and 20 s at least; unknown until
  /// they are full. Windows remember an outage for longer than it lasts.
  [[nodiscard]] truth above_since(std::size_t rule, instant since, instant now);
  /// The rule's condition with its explanation, evaluated now.
  [[nodiscard]] evaluation explain(std::size_t rule, instant now);
  [[nodiscard]] rule_explanation explanation(std::size_t rule, instant now);
  /// Every reading that the rules make, as "traffic.error_rate over 5m", with its value now; those without a value are left out.
  [[nodiscard]] std::vector<std::pair<std::string, double>> readings(instant now);
  /// When a pending rule will breach if its condition stays true.
  [[nodiscard]] std::optional<instant> breaches_at(std::size_t rule) const;

 private:
  struct state {
    verdict_state verdicts;
    verdict told = verdict::unknown;  ///< what the last change said
    times_true was_true;
    truth last = truth::unknown;  ///< its condition when it was evaluated last
    bool not_this_release = false;
    bool dirty = true;
    instant queued = instant::max();  ///< the earliest entry of this rule in the queue
  };
  struct entry {
    instant at;
    std::size_t rule;
    friend bool operator>(const entry& a, const entry& b) { return a.at > b.at; }
  };

  void evaluate_rule(std::size_t number, instant now, std::vector<change>& into);
  void watch_blindness(instant now, std::vector<change>& into);
  void enqueue(std::size_t number, instant now);
  evaluation evaluate_when(const rule& of, instant now, bool explain);
  evaluation evaluate_part(const branch& text, least_fill least, const rule& of, instant now, bool explain = false);
  [[nodiscard]] instant earliest(const rule& of) const;
  [[nodiscard]] static verdict_terms terms(const rule& of);

  compiled from_;
  std::vector<state> states_;
  std::vector<std::vector<std::size_t>> readers_;  ///< series → rules
  std::vector<std::size_t> dirty_;
  std::priority_queue<entry, std::vector<entry>, std::greater<>> queue_;
  std::vector<std::size_t> on_traffic_;  ///< the rollback rules that are
  std::optional<instant> cutover_;
  bool window_open_ = false;
  std::optional<instant> blind_since_;
  bool blind_said_ = false;
};

}  // namespace flipback::rules
