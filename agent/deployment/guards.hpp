#pragma once

#include "agent/config/configuration.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace flipback::deployment {

/// What the guards look at: plain facts, so that a table can test them.
struct circumstances {
  config::mode mode = config::mode::observe;
  bool window_open = false;  ///< the condition began inside the rollback window
  bool mixed = false;
  bool rolling = false;           ///< another rollback is under way
  bool not_this_release = false;  ///< the condition was true before the cutover already
  bool failed_before = false;     ///< this release was rolled back within the last 24 h
  std::string latched;            ///< what shut the latch; empty: open
  std::string held;               ///< by whom and why; empty: no hold
  std::string no_way_back;        ///< why there is none; empty: there is one
  std::string unfit;              ///< why what the rule reads is no ground to act on; empty: it is one
  std::string withheld;           ///< the rule's `unless` that is true; empty: none
  std::string client;             ///< that one client makes the errors; empty: it is not so, or is nothing to the rule
  std::string stable;             ///< the stable slot's name
  std::string stable_says;        ///< what it answered last
  unsigned stable_healthy = 0;    ///< healthy answers in a row
  unsigned confirm = 3;
};

enum class guarded : std::uint8_t {
  act,
  blocked,  ///< asked again while the rule stays breached
  only_say  ///< nothing acts on this: the operator is told what to do
};

struct guard_answer {
  guarded is = guarded::act;
  std::string guard;  ///< the one that answered, by name
  std::string says;
};

/// Asks every guard before a rollback (semantics.md §4), in the order in which a person would want to hear of them.
guard_answer ask_guards(const circumstances& now);

}  // namespace flipback::deployment
