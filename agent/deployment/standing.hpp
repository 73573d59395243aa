#pragma once

#include "agent/deployment/state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace flipback::deployment {

/// What is in a breached rule's way.
struct in_the_way {
  std::string rule;
  std::string_view is;  ///< "waiting", "blocked" or "withheld"
  std::string says;
};

/// How the deployment stands, in words and values for people and pages: the one type from which `status`, `/healthz` and `/metrics` are
/// written. Made anew for each of them.
struct standing {
  std::string live;  ///< empty: not known
  std::string release;
  std::string stable;  ///< empty: no way back
  std::string stable_release;
  std::string stable_says;        ///< what it answers, where it is not well, or could not be asked; empty: it is
  std::string no_way_back;        ///< why there is none; empty: there is one
  std::string doubt;              ///< what is doubtful about it
  std::string intent;             ///< the slot that the switch names; empty: none, or it can't be read
  std::string intent_says;        ///< why not, and what to type; or that what users reach stands for it
  bool effect_is_intent = false;  ///< no switch can be read: what users reach stands for it
  bool names_none = false;        ///< the switch was read, and names no slot
  agreement effect = agreement::unknown;
  std::string users;        ///< the slot that users were seen to reach last; empty: it was not seen
  std::string effect_says;  ///< where users are, if not at the live slot alone, or why it can't be told now; empty: they reach the live one
  std::string since;        ///< since when it has been live, in words; empty: not known
  std::uint64_t epoch = 0;
  bool window_open = false;
  duration window_left{};  ///< of the window; zero where it is closed, or kept open by a pending rule
  bool latched = false;
  std::string latch_says;
  std::string held;                       ///< by whom, until when and why; empty: it is not
  std::optional<failed_attempts> failed;  ///< attempts that changed nothing
  std::string failed_says;                ///< which of them failed last, when, and when the next is made
  duration next_attempt_in{};
  std::string rolling;   ///< to which slot a rollback is under way; empty: none is
  std::string flipping;  ///< the same of a flip
  config::mode mode = config::mode::observe;
  std::vector<approval> questions;
  std::vector<deployment::in_the_way> in_the_way;
  bool ready_looked = false;  ///< whether it was looked what a rollback would lack
  std::vector<lack> lacks;
  std::vector<std::string> notes;     ///< of Ready: what a person should know, and nothing lacks
  std::vector<std::string> unstored;  ///< facts that are not on disk, and why
  std::string kept;                   ///< where what files said before the newest rollback is, and what to type; empty: nothing is kept
};

/// What a rollback would lack, as far as it is known at this moment: what was found when it was looked last whether all is ready, state
/// that can't be stored, and, in the window, a stable slot that is down.
std::vector<lack> lacks_of(const state& s, const terms& by);

/// Where users are, if that is not the live slot alone, or is not known; empty: they reach the live slot.
std::string effect_says(const tracking& t, const terms& by);

/// `names`: what the switch names at this moment. What the newest look saw may be old, where a look hangs.
standing stands(const state& s, const terms& by, const moment& now, const intent& names);

}  // namespace flipback::deployment
