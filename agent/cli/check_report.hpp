#pragma once

#include "flipback/observation.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace flipback::cli {

struct checked {
  std::string name;
  observation seen;
  bool ended = false;
};

/// How many had this outcome.
std::size_t count(const std::vector<checked>& all, outcome o);

/// Prints what `--check` found on standard output, in a format of `check_options`. Colours only on a terminal, and never with NO_COLOR.
void print_report(const std::string& format, const std::vector<checked>& all, duration took);

/// 0 all passed, 1 at least one failed, 3 none failed but something is unknown.
int exit_status(const std::vector<checked>& all);
/// What Nagios takes: 0 all passed, 2 at least one failed, 3 none failed but something is unknown.
int nagios_status(const std::vector<checked>& all);

}  // namespace flipback::cli
