#pragma once

#include "agent/notify/mail/job.hpp"

#include <string>

namespace flipback::notify::mail {

struct handed_over {
  ending is = ending::not_yet;
  std::string says;  ///< one line: what the server answered last, or why there was no answer
};

/// Hands the mail to its server, and waits for that: at most for the job's seconds. It is delivered where the server took it for one of
/// the receivers at least.
handed_over hand_over(const job& what);

}  // namespace flipback::notify::mail
