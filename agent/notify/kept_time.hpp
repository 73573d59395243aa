#pragma once

#include "flipback/unix_milliseconds.hpp"

#include "agent/deployment/slots.hpp"

#include <algorithm>
#include <cstdint>

namespace flipback::notify {

/// A time as it is kept on disk: milliseconds by the wall's clock, since the monotonic one begins anew with each boot.
inline std::int64_t kept_time(instant at, const deployment::moment& now) {
  return unix_milliseconds(now.wall - std::chrono::duration_cast<wall_time::duration>(now.at - at));
}

/// A clock that went back makes nothing happen later than it would.
inline deployment::moment time_kept_as(std::int64_t milliseconds, const deployment::moment& now) {
  const wall_time wall = at_unix_milliseconds(milliseconds);
  const auto ago = std::max(now.wall - wall, wall_time::duration{});
  return {now.at - std::chrono::duration_cast<duration>(ago), wall};
}

}  // namespace flipback::notify
