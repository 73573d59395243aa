#pragma once

#include <cmath>

namespace flipback {

/// Whether a share seen is beyond its goal with 95% confidence: Wilson's bound.
inline bool is_beyond(double seen, double runs, double goal, bool above) {
  constexpr double z = 1.6448536;
  const double p = seen / runs;
  const double middle = (p + z * z / (2 * runs)) / (1 + z * z / runs);
  const double half = z / (1 + z * z / runs) * std::sqrt(p * (1 - p) / runs + z * z / (4 * runs * runs));
  constexpr double rounding = 1e-9;
  return above ? middle - half > goal + rounding : middle + half < goal - rounding;
}

}  // namespace flipback
