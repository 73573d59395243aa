#pragma once

#include "flipback/units.hpp"

#include <cstddef>
#include <cstdint>

namespace flipback::simulation {

/// Chance that is the same each time: splitmix64, so that a seed means the same story with every compiler and library.
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t roll() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  bool chance(double p) { return static_cast<double>(roll() >> 11U) * 0x1.0p-53 < p; }
  /// 0 to n - 1.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(roll() % n); }
  duration between(duration least, duration most) {
    return least + duration(static_cast<duration::rep>(roll() % static_cast<std::uint64_t>((most - least).count() + 1)));
  }

 private:
  std::uint64_t state_;
};

}  // namespace flipback::simulation
