#pragma once

#include "flipback/observation.hpp"

#include <optional>
#include <string>

namespace flipback::incident {

/// What users met with in a stretch of time, as the logs or the application's own counts tell it.
struct users_met {
  pooled errors;              ///< failed requests, of all
  pooled slow;                ///< requests slower than the probe's `slow_after` (1 s), of all
  std::optional<double> p95;  ///< seconds
};

/// "7.1% of 1204 requests failed, P95 1.9s"; "no request was seen" where there was none.
std::string as_text(const users_met& u);

}  // namespace flipback::incident
