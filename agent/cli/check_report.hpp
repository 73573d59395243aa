#pragma once

#include "flipback/observation.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace flipback::cli {

/// What is kept of an observation when the probe that made it, and the names it measured under, are gone.
struct kept {
  explicit kept(const observation& seen);

  outcome result;
  reason why;
  std::string says;
  duration latency;
  std::vector<std::pair<std::string, double>> numbers;  ///< a ratio as its quotient; distributions are left out
};

struct checked {
  std::string name;
  kept seen;
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
