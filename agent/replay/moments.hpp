#pragma once

#include "flipback/units.hpp"

#include <cmath>
#include <cstdint>
#include <optional>

/// Metrics that somebody else recorded, as the rules would have been told of them (packaging/docs/replay.md: "Replay").
namespace flipback::replay {

/// The times that recorded metrics may have: outside of these years somebody has taken seconds for milliseconds.
inline constexpr std::int64_t earliest = 946'684'800'000;  ///< the year 2000, in milliseconds since 1970
inline constexpr std::int64_t latest = 7'258'118'400'000;  ///< the year 2200
inline constexpr const char* expected_time = "expected a time from 2000 to 2200";

/// Milliseconds since 1970, which is what Prometheus keeps; nothing where the time is out of range.
inline std::optional<std::int64_t> milliseconds_of(double seconds) {
  const double all = seconds * 1000;
  const bool fits = all >= static_cast<double>(earliest) && all < static_cast<double>(latest);  // not so of NaN
  return fits ? std::optional(std::llround(all)) : std::nullopt;
}

/// Instants of a replay count from 1970, so that they and the clock on the wall agree.
inline instant instant_of(std::int64_t milliseconds) {
  return instant(std::chrono::milliseconds(milliseconds));
}
inline instant instant_of(wall_time at) {
  return instant(std::chrono::duration_cast<duration>(at.time_since_epoch()));
}
inline wall_time wall_of(instant at) {
  return wall_time(std::chrono::duration_cast<wall_time::duration>(at.time_since_epoch()));
}

}  // namespace flipback::replay
