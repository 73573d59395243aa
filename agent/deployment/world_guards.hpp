#pragma once

#include "agent/deployment/guards.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// The guards that rest on answers of the world: whether the stable slot is well, whether all is ready, whom to blame. Pure: what was
/// answered is in the state.
namespace flipback::deployment {

inline constexpr std::string_view all_the_same = "; `flipback rollback --reason TEXT` does it all the same";
inline constexpr std::string_view by_force = "; `flipback rollback --force --reason TEXT` does it all the same";

inline weighed blocked(guard by, std::string says) {
  return {stance::blocked, by, std::move(says), {}};
}
inline weighed tells(guard by, std::string says) {
  return {stance::tells, by, std::move(says), {}};
}
inline weighed waits(guard by, std::string says, needs missing) {
  return {stance::waits, by, std::move(says), missing};
}

/// What asking both slots came to, of this breach; null: they were not asked.
const blame_standing* blame_of(const state& s, const rule_now& rule);

/// `all_answers_fresh`: an answer that is older than it may be is asked for again.
std::optional<weighed> stable_slot(const state& s, const terms& by, const present& now, const placed& to, bool all_answers_fresh);
std::optional<weighed> ready_enough(const state& s, const present& now);
/// What asking both slots for what fails says. A person who decides needs an answer; whoever acts needs one of this moment.
std::optional<weighed> blamed(const state& s, const present& now, const rule_now& rule, bool of_this_moment);
/// A person's order asks the stable slot alone.
weighed weigh_order(const state& s, const terms& by, const present& now, const cause& of, const placed& to);

}  // namespace flipback::deployment
