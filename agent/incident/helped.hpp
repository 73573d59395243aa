#pragma once

#include "flipback/event.hpp"

#include "agent/incident/users_met.hpp"

#include <optional>
#include <string>

namespace flipback::incident {

/// Whether it is told when the incident in it may be over, and another one open.
bool is_told_late(const event& e);

/// Whether a rollback with this outcome has led users to the other slot.
bool led_back(const std::string& outcome);

/// Whether a rollback helped: what users met with in the two minutes after its end, beside the two minutes before it was decided. Pure.
class helped {
 public:
  static constexpr duration measured_for = std::chrono::minutes(2);
  static constexpr double limit = 0.05;  ///< the runbook's: a larger share of failed, or of slow, requests hurts users
  static constexpr double least = 20;    ///< requests after it; fewer tell nothing
  static constexpr duration newest =
      std::chrono::seconds(30);              ///< of those two minutes: without a request in them nobody was there any more
  static constexpr double by_chance = 0.01;  ///< what chance makes of equal shares more often than that is no difference

  /// A rollback was decided, and users have met with this in the time before: two minutes, or since the cutover.
  void decided(const std::string& incident, const std::optional<users_met>& before, duration of);
  /// What became of it.
  void closed(const std::string& outcome, instant now);
  /// The agent was started anew while a rollback of an earlier life was to be measured.
  void interrupted(const std::string& incident);
  /// What users meet with from now on says nothing of the rollback, and why.
  void cut_off(const std::string& why);

  /// When what users met with since `since()` is to be told; nothing: it is not measured.
  [[nodiscard]] std::optional<instant> due() const;
  [[nodiscard]] instant since() const { return ended_.value_or(instant{}); }
  /// What is to be told of it now; `lately`: what users met with in the newest part of it. Precondition: it is due, or was cut off.
  std::optional<event> tell(const std::optional<users_met>& after, const std::optional<users_met>& lately);

 private:
  std::string incident_;
  std::optional<users_met> before_;  ///< nothing: nobody counts their requests
  duration before_of_{};
  std::optional<instant> ended_;  ///< nothing: no rollback, or it is not over
  std::string cut_off_;           ///< why it can't be told; empty: it can
};

}  // namespace flipback::incident
