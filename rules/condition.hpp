#pragma once

#include "rules/language/expression.hpp"
#include "rules/language/truth.hpp"
#include "rules/series.hpp"

#include <span>
#include <string>
#include <vector>

namespace flipback::rules {

/// A signal's reading as an expression is bound to it: which series, which window of it, and how it is read.
struct source {
  std::string name;  ///< of the signal, for sentences
  std::size_t series = 0;
  std::size_t window = 0;
  std::size_t longest = 0;     ///< the longest window on this signal in its rule: what min_samples is held against
  std::size_t remembered = 0;  ///< with `before`: its number in the series
  duration length{};
  double quantile = 0;
  function how = function::plain;
  unit in = unit::number;
  bool windowed = false;
  bool has_longest = false;
  bool since_cutover = false;
  bool before = false;  ///< as it was at the newest cutover
  telling tells = telling::nothing;
  std::optional<std::size_t> anew{};  ///< the series of the same, of requests that began after both slots were asked
};

/// As long as a comparison with what was before the cutover says something of the release: later it is false.
inline constexpr duration before_counts_for = std::chrono::hours(1);

/// "traffic.error_rate over 5m", "max(redis.memory_used_ratio over 5m)".
std::string label(const source& s);
/// What a source reads at `now`. Precondition: its series has been advanced to `now`.
std::optional<double> read(const source& s, std::span<const series> all, instant now);

/// How much must be in a window before a comparison says anything, and what is asked of it.
struct least_fill {
  double samples = 0;
  double errors = 0;
  truth filling = truth::unknown;  ///< what a comparison is whose windows are not full yet
  bool is_worse = false;           ///< `worse` is taken for true
  bool by_share = false;           ///< `surely` asks whether the share is above the limit, and no more
};

/// What a condition turned out to be, and the comparison that decided it: for sentences and for the numbers on a page.
struct evaluation {
  truth is = truth::unknown;
  std::optional<double> value;
  std::optional<double> threshold;
  unit in = unit::number;
  std::string says;  ///< only where `explain` was asked for
};

/// Evaluates a bound condition at a time. Pure: reads the series, changes nothing. Precondition: every series has been advanced to `now`.
evaluation evaluate(const expression& condition, std::span<const source> sources, std::span<const series> all, least_fill least,
                    instant now, bool explain);

}  // namespace flipback::rules
