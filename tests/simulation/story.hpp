#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace flipback::simulation {

struct told_story {
  std::string broken;  ///< the promise that was broken; empty: none
  std::uint64_t steps = 0;
  std::map<std::string, std::uint64_t> figures;  ///< how often what happened
};

/// One seed is one story, the same each time. `line`: who hears it told.
told_story tell_story(std::uint64_t seed, std::function<void(const std::string&)> line);

}  // namespace flipback::simulation
