#pragma once

#include "flipback/event.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace flipback::serve {

/// What has been told since the agent began, counted: for its metrics. What it counts by is ours alone, and so bounded.
class tally {
 public:
  void take(const event& e, instant at);

  std::array<std::uint64_t, 4> events{};  ///< by severity
  std::uint64_t cutovers = 0;
  std::uint64_t incidents = 0;                                             ///< that were breaches, and are over
  std::map<std::string, std::uint64_t> rollbacks;                          ///< by outcome; all are there from the beginning
  std::map<std::string, std::uint64_t> flips;                              ///< the same of flips
  std::map<std::string, std::uint64_t> by_rule;                            ///< rollbacks that were decided, by rule
  std::map<std::pair<std::string, std::string>, std::uint64_t> held_back;  ///< breaches not acted on, by stance and guard
  std::map<std::string, duration> steps;                                   ///< of the newest rollback, how long each took
  bool history_is_kept = true;

  tally();

 private:
  std::optional<instant> step_before_;
};

}  // namespace flipback::serve
