#pragma once

#include "flipback/units.hpp"

#include <chrono>

namespace flipback::serve {

/// An instant as people read it. The wall's clock may be set meanwhile: it is as it would be read now.
inline wall_time on_the_wall(instant at) {
  const auto from_now = at - std::chrono::steady_clock::now();
  return std::chrono::system_clock::now() + std::chrono::duration_cast<wall_time::duration>(from_now);
}

}  // namespace flipback::serve
