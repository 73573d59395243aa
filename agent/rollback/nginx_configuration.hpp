#pragma once

#include "flipback/probe.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flipback::rollback {

/// What of nginx's configuration (`nginx -T`) matters here. Relative paths are below `prefix`.
struct nginx_configuration {
  std::string error_log;  ///< the main one; empty: nginx's default
  /// Of every block, without those that are off, have a variable in their path or go to a syslog by network; one that goes to a syslog on a
  /// Unix socket has the socket's path.
  std::vector<access_log_directive> access_logs;
};
nginx_configuration configuration_in(std::string_view text, const std::string& prefix);

}  // namespace flipback::rollback
