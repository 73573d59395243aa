#include "agent/serve/own_times.hpp"

#include <algorithm>
#include <utility>

namespace flipback::serve {

void own_times::woke(duration late) {
  lag_.Observe(to_seconds(late));
  longest_lag_ = std::max(longest_lag_, late);
}

void own_times::wrote(duration took) {
  writes_.Observe(to_seconds(took));
}

duration own_times::take_longest_lag() {
  return std::exchange(longest_lag_, duration{});
}

}  // namespace flipback::serve
