#pragma once

#include "flipback/observation.hpp"

#include <array>
#include <functional>
#include <random>
#include <string>
#include <vector>

/// Incidents around a cutover, as counts by second: 10 minutes before it, 15 after.
namespace flipback::judged {

inline constexpr int before = 600;
inline constexpr int after = 900;
inline constexpr std::array<double, 4> rates{0.2, 1, 10, 100};  ///< requests a second

using chance = std::mt19937_64;
using counts = std::vector<pooled>;

enum class must : std::uint8_t { be_left, be_found, be_asked, either };

/// A goal of a cell: of what must be left the most that may be rolled back, of what must be found the fewest, in %; and the seconds until
/// then at most. Negative: none.
struct goal {
  std::array<double, 4> share{-1, -1, -1, -1};
  std::array<double, 4> seconds{-1, -1, -1, -1};
};

struct incident {
  std::string name;
  must is = must::be_left;
  bool slow = false;     ///< of slow requests, not of errors
  int watched = before;  ///< seconds before the cutover since when there are counts
  goal aim;
  std::function<counts(double rate, chance& by)> happens;
};

std::vector<incident> all_incidents();

}  // namespace flipback::judged
