#pragma once

#include "flipback/timestamp.hpp"
#include "flipback/units.hpp"

#include <string>

/// Times as they stand in what people read of an incident.
namespace flipback::incident {

/// Hours to milliseconds, in UTC: the day stands in the incident's id.
inline std::string clock_text(wall_time at) {
  return time_text(at).substr(11, 12);
}

inline std::string lasted(wall_time from, wall_time to) {
  const auto took = std::chrono::duration_cast<duration>(to - from);
  return format_duration(took < std::chrono::seconds(10) ? std::chrono::floor<std::chrono::milliseconds>(took)
                                                         : std::chrono::floor<std::chrono::seconds>(took));
}

}  // namespace flipback::incident
