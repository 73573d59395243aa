#include "probes/exposition/processes.hpp"

#include <bit>
#include <utility>

namespace flipback::exposition {

namespace {

constexpr std::uint32_t last_ten = (1U << 10U) - 1;
constexpr int enough = 3;
constexpr double whole_second = 1;  // HTTP's Date has no fractions

}  // namespace

growth processes::see(std::optional<double> started, double clock, bool fell) {
  const auto before = std::exchange(started_, started);
  const double asked = std::exchange(clock_, clock);
  doubts_ = (doubts_ << 1U) & last_ten;
  another_ = started && before && *started != *before;
  if (asked == 0) return growth::none;
  if (another_) {
    if (*started > *before && *started >= asked - whole_second) return growth::from_zero;
    doubts_ |= 1U;
    return growth::none;
  }
  if (fell) {
    doubts_ |= 1U;
    // A process that did not start anew does not count backwards: it was another one that began at the same instant.
    if (started && before) return growth::none;
  }
  return several() ? growth::none : growth::by_difference;
}

bool processes::several() const {
  return std::popcount(doubts_) >= enough;
}

}  // namespace flipback::exposition
