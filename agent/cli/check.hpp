#pragma once

#include "agent/config/configuration.hpp"

#include <string>
#include <vector>

namespace flipback::cli {

struct check_options {
  std::string format = "text";    ///< text | json
  std::vector<std::string> only;  ///< probes by name or tag; empty: all
  std::vector<std::string> skip;
};

/// Every probe once, all at the same time; prints what was found on standard output, in the configuration's order.
/// The exit status: 0 all passed, 1 at least one failed, 3 none failed but something is unknown, 2 the selection is empty or wrong.
int check(const config::configuration& configured, const check_options& options);

}  // namespace flipback::cli
