#pragma once

#include "flipback/units.hpp"

#include "rules/language/truth.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace flipback::rules {

enum class verdict : std::uint8_t { ok, pending, breached, unknown };
std::string_view name_of(verdict v);

/// What a rule's verdict depends on beside its condition.
struct verdict_terms {
  duration lasting{};  ///< `for`
  duration gap = std::chrono::seconds(30);
  bool has_until = false;
};

/// When a condition was true, in the last minutes.
class times_true {
 public:
  static constexpr duration kept = std::chrono::minutes(6);  ///< a cutover is told within a minute

  void see(bool is_true, instant now);
  void forget() { runs_.clear(); }
  /// Whether it was at any time in (from, to].
  [[nodiscard]] bool within(instant from, instant to) const;

 private:
  struct run {
    instant first;
    instant last;
  };
  std::vector<run> runs_;
  bool is_true_ = false;
};

/// A rule's verdict as a state machine (semantics.md §3): told the condition at a time, it says the verdict. No clock of its own.
class verdict_state {
 public:
  /// `earliest`: not breached before this instant, however long the condition has been true.
  verdict step(const verdict_terms& terms, truth when, truth until, instant earliest, instant now);

  /// The next instant at which the verdict may change by time alone.
  [[nodiscard]] std::optional<instant> due(const verdict_terms& terms, instant earliest) const;

  [[nodiscard]] verdict current() const { return current_; }
  /// Since when the condition has been true, gaps bridged; nothing where it isn't.
  [[nodiscard]] std::optional<instant> true_since() const { return true_since_; }
  [[nodiscard]] std::optional<instant> unknown_since() const { return unknown_since_; }
  /// Time during which nobody watched: unknown, and a long one drops what was pending.
  void unwatched(const verdict_terms& terms, instant from, instant to);
  void reset() { *this = {}; }
  /// Of `for`, how much was unknown since `true_since`.
  [[nodiscard]] duration bridged() const { return bridged_; }
  /// An earlier life saw the condition true from `since` to `seen`; what came after is unknown.
  void resume(instant since, instant seen, duration bridged);

 private:
  void see_true(const verdict_terms& terms, instant now);

  verdict current_ = verdict::unknown;
  std::optional<instant> true_since_;
  std::optional<instant> unknown_since_;  ///< of the gap that we are in
  duration bridged_{};
};

}  // namespace flipback::rules
