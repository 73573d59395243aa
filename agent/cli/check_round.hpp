#pragma once

#include "agent/cli/check_report.hpp"
#include "agent/cli/check_selection.hpp"

#include <vector>

namespace flipback::cli {

struct round_found {
  std::vector<checked> all;  ///< in the order of the report
  duration took{};
  bool interrupted = false;  ///< by SIGINT or SIGTERM: what had not ended by then is unknown
};

/// Asks all that was selected, at the same time and each once, on connections of their own.
round_found ask_once(const selection& what);

}  // namespace flipback::cli
