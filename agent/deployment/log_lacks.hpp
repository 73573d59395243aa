#pragma once

#include "agent/deployment/ready.hpp"

#include <string>
#include <vector>

namespace flipback::deployment {

/// What is lacking of the logs that rules go by: user agents (blocking: our own requests can't be told from users'), and one that a slot's
/// site file logs to and no probe reads. `nginx`: null where it is not known.
std::vector<lack> log_lacks(const rollback::nginx_configuration* nginx, const config::configuration& configured, const std::string& prefix);

}  // namespace flipback::deployment
