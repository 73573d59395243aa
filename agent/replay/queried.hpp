#pragma once

#include "flipback/signal.hpp"

#include "probes/prometheus/growth.hpp"
#include "probes/prometheus/matrix.hpp"

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flipback::replay {

/// Series of answers of query_range by their labels, each with its samples by time, in milliseconds since 1970. Answers of one query that
/// follow each other are one.
class tracks {
 public:
  static constexpr std::size_t most_bytes = std::size_t{128} << 20U;  ///< of an answer

  /// Adds an answer. `alone`: it may have one series only. An error is one sentence on what it is instead.
  std::expected<void, std::string> add(std::string_view answer, bool alone);
  [[nodiscard]] std::vector<std::int64_t> times() const;

  struct series {
    prometheus::element of;  ///< its labels
    std::map<std::int64_t, std::optional<double>> values;
  };
  [[nodiscard]] std::map<std::string, series>& all() { return all_; }

 private:
  std::map<std::string, series> all_;  ///< by the labels' text
};

/// The usual distance of times that are in order; nothing where there are fewer than two.
std::optional<duration> step_of(const std::vector<std::int64_t>& times);

/// The samples of a query's one series. A sample speaks of the time since the one before, and of `covers` before that. Where an answer
/// has no sample for more than one step and a half, nothing is known.
std::vector<sample> samples_of(tracks& value, duration covers);
/// Those of two queries' counters: by what they grew from step to step, as the promql probe has it.
std::vector<sample> samples_of(tracks& numerator, tracks& denominator, duration covers);

}  // namespace flipback::replay
