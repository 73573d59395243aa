#pragma once

#include "probes/prometheus/value.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace flipback::prometheus {

/// What counters have grown by between two looks at them, series by series, so that one process that begins anew takes nothing from the
/// others' sums. A counter that fell was reset: what it shows now has come since (promql/functions.go). A series that is new counts whole
/// where its target (job and instance) was known before: it was born at zero since, as the first error of a status is. One of a target
/// that is new itself only begins to be known: nobody saw when it began.
class growth {
 public:
  /// How many series are remembered of each side; beyond that those that are gone are forgotten.
  static constexpr std::size_t most_series = 20'000;

  /// What has come since the look before; nothing has at a first one. Both sides of a ratio at once: a target without errors is known by
  /// its requests alone.
  pooled look(const std::vector<element>& numerator, const std::vector<element>& denominator);

 private:
  using counters = std::map<std::string, double, std::less<>>;
  double grown(const std::vector<element>& now, counters& before) const;

  counters numerator_;
  counters denominator_;
  std::set<std::string, std::less<>> targets_;
};

}  // namespace flipback::prometheus
