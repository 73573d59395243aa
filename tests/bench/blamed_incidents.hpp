#pragma once

#include "tests/agent/slots_night.hpp"

#include <array>
#include <functional>
#include <string>
#include <vector>

/// Incidents around a cutover of which counts alone can't tell whether the release is to blame: who asks what, and which slot fails it.
namespace flipback::blamed {

using namespace std::chrono_literals;
using std::chrono::seconds;

inline constexpr seconds before = 10min;
inline constexpr seconds after = 15min;
inline constexpr std::array<double, 3> rates{1, 10, 100};  ///< users' requests a second

struct incident {
  std::string name;
  bool must_flip = false;
  std::function<std::vector<deciding_night::asking>(double rate)> asks;
  std::vector<deciding_night::fault> faults;
  seconds until = after;  ///< it is told
};

std::vector<incident> all_incidents();

}  // namespace flipback::blamed
