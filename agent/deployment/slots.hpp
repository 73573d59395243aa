#pragma once

#include "flipback/units.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace flipback::deployment {

/// A slot by its place in the configuration's order.
using slot_number = std::size_t;

/// A slot and the release that ran in it. An empty release is one that was not told; whether two releases are the same is for
/// `tells_releases` to say.
struct placed {
  slot_number slot = 0;
  std::string release;

  friend bool operator==(const placed&, const placed&) = default;
};

/// One instant on both clocks: the monotonic one measures, the wall's is for people and for what outlasts a boot.
struct moment {
  instant at;
  wall_time wall;

  friend bool operator==(const moment&, const moment&) = default;
};

/// Yes, no, and the third answer, which is neither.
enum class answer : std::uint8_t { no, yes, cant_tell };

}  // namespace flipback::deployment
