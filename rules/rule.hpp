#pragma once

#include "flipback/event.hpp"
#include "flipback/mode.hpp"
#include "flipback/units.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flipback::rules {

enum class consequence : std::uint8_t { alert, rollback };
std::string_view name_of(consequence c);

/// Where a text of a rule stands in the configuration: file, and line and column of its first character inside the quotes.
struct text_place {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend bool operator==(const text_place&, const text_place&) = default;
};

/// A text in the rules' language and where it came from. Empty: not given.
struct source_text {
  std::string text;
  text_place at;
  friend bool operator==(const source_text&, const source_text&) = default;
};

/// A rule as a person wrote it, before its conditions are parsed (packaging/docs/rules.md: "Rules").
struct rule_source {
  std::string name;
  text_place at;
  bool enabled = true;
  source_text when;
  source_text until;   ///< hysteresis: a breach ends at its first true
  source_text unless;  ///< withholds the action while true
  duration lasting{};  ///< `for`: how long `when` must have been true
  duration after{};    ///< not before this long after a cutover
  duration gap = std::chrono::seconds(30);
  consequence then = consequence::alert;
  bool sets_hold = false;                                     ///< `hold`: while breached, and for a day, no automatic rollback may act
  flipback::severity severity = flipback::severity::warning;  ///< of the event that a breach is
  std::uint64_t min_samples = 0;                              ///< in a signal's longest window of `when`; fewer: unknown
  std::uint64_t min_errors = 0;                               ///< numerator of a ratio in its longest window; fewer: false
  bool partial = false;                                       ///< of one that rolls back: windows that are not full yet count, too
  std::optional<flipback::mode> mode;                         ///< of one that rolls back; none: the deployment's

  friend bool operator==(const rule_source&, const rule_source&) = default;
};

/// Whether two rules say the same, wherever they stand: then a reload keeps the state.
bool same_meaning(const rule_source& a, const rule_source& b);
/// What a rule says, in one line: two rules have the same one where `same_meaning` holds, and else another.
std::string meaning_of(const rule_source& r);

}  // namespace flipback::rules
