#pragma once

#include "flipback/units.hpp"

#include <string>

namespace flipback {

/// A time as a name, to the millisecond, in UTC: "20261127T090411.791Z". Such names sort as their times do.
std::string compact_time(wall_time at);

}  // namespace flipback
