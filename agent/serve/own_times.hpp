#pragma once

#include "flipback/units.hpp"

#include "agent/time_buckets.hpp"

namespace flipback::serve {

/// What the agent measures of itself, since it began: for its metrics.
class own_times {
 public:
  /// How late our loop woke up for what was due. For the loop's thread.
  void woke(duration late);
  /// How long the store's disk took for a fact. From any thread.
  void wrote(duration took);

  /// The longest that `woke` was told since this was asked last. For the loop's thread.
  duration take_longest_lag();

  [[nodiscard]] const prometheus::Histogram& lag() const { return lag_; }
  [[nodiscard]] const prometheus::Histogram& writes() const { return writes_; }

 private:
  prometheus::Histogram lag_{time_buckets()};
  prometheus::Histogram writes_{time_buckets()};
  duration longest_lag_{};
};

}  // namespace flipback::serve
