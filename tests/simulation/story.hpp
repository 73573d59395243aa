#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace flipback::simulation {

struct told_story {
  std::string broken;  ///< the promise that was broken; empty: none
  std::uint64_t steps = 0;
};

/// One seed is one story, the same each time. `line`: who hears it told.
told_story tell_story(std::uint64_t seed, std::function<void(const std::string&)> line);

}  // namespace flipback::simulation
