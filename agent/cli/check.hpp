#pragma once

#include "agent/config/configuration.hpp"

#include <string>
#include <vector>

namespace flipback::cli {

struct check_options {
  std::string format = "text";    ///< text | json | junit | tap | nagios | prometheus
  std::vector<std::string> only;  ///< probes by name or tag; empty: all
  std::vector<std::string> skip;
  std::string slot;  ///< what goes through a slot asks this one; empty: what users reach
  std::string wait;  ///< a duration: for how long it is asked again until all pass; empty: it is asked once
};

/// Every probe once, all at the same time (`wait`: again and again, and the last time counts); prints what was found on standard output, in
/// the configuration's order. The exit status: 0 all passed, 1 at least one failed, 3 none failed but something is unknown, 2 the selection
/// is empty or wrong. As Nagios wants it, where its format is asked for: 2 at least one failed, 3 the selection is empty or wrong, too.
int check(const config::configuration& configured, const check_options& options);

/// That nothing can be checked, and why, where the format has its place for it. The exit status.
int refuse(const check_options& options, const std::string& why);

}  // namespace flipback::cli
