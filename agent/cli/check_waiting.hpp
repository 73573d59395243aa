#pragma once

#include "agent/cli/check_round.hpp"

#include <string>
#include <vector>

namespace flipback::cli {

/// Asks again, a second after the last answer, until all passes, or for the last time once `at_most` is over; gives what was found last.
/// Says on standard error what it waits for, whenever that is something else. Ends early where it is interrupted, and where credentials are
/// refused: some services lock a user out for a few wrong ones.
round_found ask_until_passed(const selection& what, duration at_most);

/// What is waited for, with why it does not pass: "green (503), login (answered 500)". Empty: all pass.
std::string awaited(const std::vector<checked>& all);

}  // namespace flipback::cli
