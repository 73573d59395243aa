#pragma once

#include "flipback/units.hpp"

#include <algorithm>
#include <cstdint>

namespace flipback {

/// A point in calendar time as files, browsers and other programs count it: milliseconds since 1970, the fraction cut off.
inline std::int64_t unix_milliseconds(wall_time at) {
  return std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

/// The latest that a wall_time can surely hold: of the year 2255.
inline constexpr std::int64_t latest_unix_milliseconds = 9'000'000'000'000;

/// The point again. What damage made of it is 1970, or the latest.
inline wall_time at_unix_milliseconds(std::int64_t kept) {
  const std::int64_t bounded = std::clamp<std::int64_t>(kept, 0, latest_unix_milliseconds);
  return wall_time(std::chrono::duration_cast<wall_time::duration>(std::chrono::milliseconds(bounded)));
}

}  // namespace flipback
