#pragma once

#include "agent/deployment/decider.hpp"
#include "tests/simulation/clocks.hpp"
#include "tests/simulation/traffic_model.hpp"

#include <optional>
#include <vector>

namespace flipback::simulation {

/// A small model of the rules: each a share of errors over a window of what users of the live slot got since the epoch began. It lives as
/// long as the agent's process.
class rules_model {
 public:
  rules_model(const setup& how, const traffic_model& traffic, const clocks& clock, const faults& now);

  /// What was read before that time is in no window.
  void start_anew(duration from, bool forgive);
  /// From when on it has what users got.
  void watch_from(duration since) { watching_since_ = since; }
  /// Takes in what has come since; true where a verdict changed.
  bool read(std::optional<slot_number> live, duration now);
  [[nodiscard]] std::vector<std::string> not_this_release() const;
  [[nodiscard]] std::vector<deployment::rule_now> at(duration now, const deployment::state& s) const;

 private:
  struct standing {
    std::optional<duration> true_since;
    bool breached = false;
    bool holds = false;        ///< its condition, at the newest sample
    bool known = false;        ///< whether the newest sample could be judged
    bool true_before = false;  ///< of another release than this, and nobody rolled that back
  };
  [[nodiscard]] std::optional<double> share(duration from, std::size_t to) const;
  void judge(std::size_t sample);

  const setup& how_;
  const traffic_model& traffic_;
  const clocks& clock_;
  const faults& faults_;
  std::vector<standing> rules_;
  std::optional<slot_number> live_;
  duration anew_{};
  duration watching_since_{};
  std::size_t next_ = 0;
};

}  // namespace flipback::simulation
