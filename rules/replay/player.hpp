#pragma once

#include "rules/built_in.hpp"
#include "rules/engine.hpp"
#include "rules/replay/entry.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flipback::rules::replay {

/// What a rollback rule's breach would have led to, by the guards that a record knows: window, latch, hold, and what the rules know
/// themselves (`unless`, worse, not this release).
struct decision {
  enum class kind : std::uint8_t { tells, blocked, withheld, asks, rolls_back } is = kind::tells;
  std::string why{};  ///< of all but the last
};

/// Judges by other rules what a record says was seen. Pure: the same entries give the same changes.
class player {
 public:
  /// Rules as a person wrote them; the built-in ones come beside. What is wrong with them, for the signals of the record, goes into
  /// `problems`.
  player(std::vector<rule_source> own, settings::diagnostics& problems);

  /// What the rules have to say to an entry, each before the next is taken.
  using teller = std::function<void(const change&)>;
  void take(const entry& e, const teller& tell);
  /// What is still due at the record's end.
  void end(const teller& tell);

  /// Judges what came so far, not waiting for what comes next.
  void judge_now(const teller& tell) { settle(now_, tell); }
  /// What the breach of a rule, whose condition began then, leads to now. A rollback shuts the latch until the next cutover. Nothing where
  /// the rule does not roll back, or is not breached.
  std::optional<decision> decide(std::size_t rule, instant condition);
  /// A hold has ended, or the latch was opened, that a breach was blocked by: what it leads to now.
  std::function<void(std::size_t rule, const decision&)> on_freed;
  [[nodiscard]] std::pair<acting, std::string> would_act(std::size_t rule) { return engine_->would_act(rule, now_); }

  [[nodiscard]] const std::vector<rule>& rules() const { return engine_->rules(); }
  [[nodiscard]] bool has_begun() const { return engine_.has_value(); }
  /// What the clock on the wall showed at an instant of the record.
  [[nodiscard]] wall_time wall(instant at) const;
  [[nodiscard]] instant now() const { return now_; }
  /// Whether the rollback window was open when a condition began, which is what a breach is judged by.
  [[nodiscard]] bool began_in_window(instant condition) const { return window_open_ || (closed_ && condition <= *closed_); }
  [[nodiscard]] std::size_t samples() const { return samples_; }
  [[nodiscard]] std::size_t signals() const { return signals_.all().size(); }
  [[nodiscard]] duration covered() const { return covered_; }

 private:
  /// Where the samples of a series go.
  struct route {
    std::string samples;
    std::optional<std::size_t> series;  ///< the engine's, where a rule reads it
    instant* newest = nullptr;
  };

  void take(const beginning& e, const teller& tell);
  void take(const declared& e, const teller& tell);
  void take(const sampled& e, const teller& tell);
  void take(const cut_over& e, const teller& tell);
  void take(const window_changed& e, const teller& tell);
  void take(const unwatched& e, const teller& tell);
  void take(const hold_changed& e, const teller& tell);
  void take(const unlatched& e, const teller& tell);
  void take(const resumed& e, const teller& tell);
  void free();
  void make_ready();
  void go_to(instant at, const teller& tell);
  void settle(instant at, const teller& tell);

  std::vector<rule_source> own_;
  settings::diagnostics* problems_;
  catalogue signals_;
  std::map<std::uint32_t, route> routes_;  ///< by series
  std::map<std::string, instant> newest_;  ///< by samples' name: until when they were told
  std::optional<engine> engine_;
  bool ready_ = false;  ///< the engine knows the signals that were declared
  bool continues_ = false;
  instant now_{};
  instant began_{};
  wall_time wall_{};
  bool window_open_ = false;
  std::optional<instant> closed_;  ///< when the window was, last
  std::string held_;
  std::string rolled_back_;                 ///< by which rule in this epoch, and when: the latch is shut; empty: it is open
  std::map<std::size_t, instant> blocked_;  ///< rules whose breach a hold or the latch stopped, and when their condition began
  std::size_t samples_ = 0;
  duration covered_{};
};

}  // namespace flipback::rules::replay
