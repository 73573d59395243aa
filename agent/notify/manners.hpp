#pragma once

#include "flipback/units.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace flipback::notify {

/// How people are told (packaging/docs/notifications.md): `[notify]` in the configuration.
struct manners {
  /// While nobody acknowledges: after so long the next level is told, too. Levels begin at 1, so there is one more than there are times.
  std::vector<duration> escalate_after{std::chrono::minutes(15), std::chrono::minutes(30)};
  duration remind_every = std::chrono::hours(1);  ///< all who were told; zero: never
  std::string link;                               ///< the agent's page, as people reach it
  std::string name;                               ///< of this agent, at the beginning of each title; default: the machine's

  friend bool operator==(const manners&, const manners&) = default;
};

}  // namespace flipback::notify
