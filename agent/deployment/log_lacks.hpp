#pragma once

#include "agent/deployment/ready.hpp"

#include <string>
#include <vector>

namespace flipback::deployment {

struct log_findings {
  std::vector<lack> lacking;
  std::vector<std::string> notes;
};

/// What is lacking of the logs that rules go by: user agents (our own requests can't be told from users'), lines in the format that was
/// said, and a probe for each log that a slot's site file writes. Of a log that a rollback rule reads the first two are in every rollback's
/// way; of another they are notes. `nginx`: null where it is not known.
log_findings log_lacks(const rollback::nginx_configuration* nginx, const config::configuration& configured, const std::string& prefix);

}  // namespace flipback::deployment
