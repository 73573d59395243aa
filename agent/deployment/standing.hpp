#pragma once

#include "agent/deployment/state.hpp"

#include <string>
#include <vector>

namespace flipback::deployment {

/// How the deployment stands, in words and values for people and pages: the one type from which `status`, `/healthz` and `/metrics` are
/// written. Made anew for each of them.
struct standing {
  std::string live;  ///< empty: not known
  std::string release;
  std::string stable;  ///< empty: no way back
  std::string stable_release;
  std::string no_way_back;  ///< why there is none; empty: there is one
  std::string doubt;        ///< what is doubtful about it
  std::string intent;       ///< the slot that the switch names; empty: none, or it can't be read
  std::string intent_says;  ///< why not
  agreement effect = agreement::unknown;
  std::uint64_t epoch = 0;
  bool window_open = false;
  bool latched = false;
  std::string latch_says;
  std::string held;     ///< by whom, until when and why; empty: it is not
  std::string rolling;  ///< what is under way; empty: nothing
  config::mode mode = config::mode::observe;
  std::vector<approval> questions;
  std::vector<lack> lacks;
  std::vector<std::string> unstored;  ///< facts that are not on disk, and why
  std::string kept;                   ///< where what files said before the newest rollback is, and what to type; empty: nothing is kept
};

standing stands(const state& s, const terms& by, const moment& now);

}  // namespace flipback::deployment
