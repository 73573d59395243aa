#pragma once

#include "flipback/event.hpp"

#include "agent/incident/traces.hpp"
#include "agent/incident/users_met.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::incident {

/// Which stretches of the rules' values, and of what users met with, are put on record with an incident: ten minutes before it began, all
/// while it is open, and five minutes after its end. At its turning points at once, so that a crash takes little of it. Pure.
class evidence {
 public:
  static constexpr duration before = std::chrono::minutes(10);
  static constexpr duration after = std::chrono::minutes(5);
  static constexpr duration piece = std::chrono::minutes(5);
  static constexpr duration again = std::chrono::minutes(1);  ///< for whoever reads it meanwhile
  static constexpr duration users_of = std::chrono::minutes(1);

  /// Whether it is a turning point, so that the pieces are due.
  bool take(const event& e, wall_time at);
  /// Whether time alone makes the pieces due.
  [[nodiscard]] bool is_due(wall_time at) const;
  /// Whether whoever reads an incident now would miss something: one is followed, and the last pieces are older than a minute.
  [[nodiscard]] bool is_behind(wall_time at) const;
  /// Whether an incident is followed that is not over.
  [[nodiscard]] bool is_open() const { return !incident_.empty() && !ends_; }
  /// The pieces since the last ones; `met` by users in the newest minute; nothing: nobody counts.
  std::vector<event> pieces(const traces& of, const std::optional<users_met>& met, wall_time at);

 private:
  std::string incident_;                 ///< empty: there is none
  std::optional<wall_time> ends_;        ///< nothing: it is open
  std::optional<wall_time> told_until_;  ///< nothing: nothing was told yet
};

/// By which name the share of users' requests that failed in the newest 15 s (or in two intervals of who counts them)
/// stands among the rules: it is known whatever they can tell.
inline constexpr const char* users_errors = "users' errors";
inline constexpr duration users_errors_over = std::chrono::seconds(15);

/// A rule's values as they are on record.
struct signal {
  std::string rule;
  unit in = unit::number;
  std::optional<double> threshold;
  std::vector<traced> points;
};

/// What users met with in the minute before a time.
struct users_then {
  wall_time at;
  users_met met;
};

/// Whether it is for the record alone.
bool is_evidence(const event& e);
/// Puts what a piece holds behind what is known of the same rule; false: it is no piece of a rule's values.
bool add_piece(std::vector<signal>& to, const event& e);
/// Nothing: it does not tell what users met with.
std::optional<users_met> users_in(const event& e);

}  // namespace flipback::incident
