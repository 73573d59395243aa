#pragma once

#include "agent/config/mode.hpp"
#include "agent/deployment/slots.hpp"

#include <optional>
#include <string>
#include <vector>

namespace flipback::deployment {

/// What of the configuration deciding rests on.
struct terms {
  std::vector<std::string> slots;  ///< their names
  config::mode mode = config::mode::observe;
  std::optional<slot_number> stable;  ///< the slot that is always returned to; nothing: the one that was live before
  std::optional<slot_number> canary;  ///< a slot whose answers are expected beside the live one's
  bool effect_is_intent = false;      ///< no switch can be read from here: what users reach stands for it
  duration window = std::chrono::minutes(15);
  unsigned confirm = 3;
  duration confirm_every = std::chrono::seconds(1);
  duration watch_every = std::chrono::seconds(1);
  std::string follow = "reload nginx (`nginx -t && nginx -s reload`)";  ///< what a person does so that users follow the switch
};

inline constexpr unsigned witnesses_of_a_cutover = 3;  ///< in a row
inline constexpr duration follow_within = std::chrono::seconds(30);
inline constexpr duration remembered_for = std::chrono::hours(24);  ///< releases that were left, and those that were rolled back
inline constexpr duration question_lives = std::chrono::minutes(10);
inline constexpr duration ask_again_every = std::chrono::seconds(5);
inline constexpr duration longest_wait_to_try_again = std::chrono::minutes(5);
inline constexpr duration answer_counts_for = std::chrono::seconds(2);
inline constexpr duration sick_alike =
    std::chrono::minutes(1);  ///< a stable slot that was sick so shortly before may have had the same illness
inline constexpr duration readiness_counts_for = std::chrono::seconds(60);
inline constexpr duration readiness_looked_every = std::chrono::minutes(10);    ///< in quiet times
inline constexpr duration first_looks_within = std::chrono::milliseconds(900);  ///< after a start: then it is said that nothing is known
inline constexpr duration not_this_release_within = std::chrono::minutes(5);    ///< before a cutover
inline constexpr duration carried_past_the_window = std::chrono::seconds(60);

}  // namespace flipback::deployment
