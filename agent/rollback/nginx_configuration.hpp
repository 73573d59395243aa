#pragma once

#include "flipback/probe.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::rollback {

/// What of nginx's configuration (`nginx -T`) matters here. Relative paths are below `prefix`.
struct nginx_configuration {
  std::string error_log;  ///< the main one; empty: nginx's default
  std::string pid;        ///< empty: nginx's default
  /// Of every block, without those that are off, have a variable in their path or go to a syslog by network; one that goes to a syslog on a
  /// Unix socket has the socket's path.
  std::vector<access_log_directive> access_logs;
  bool logs_nothing = false;  ///< `access_log off` for a whole server, or all
  std::vector<upstream_group> upstreams;
  std::vector<std::string> passes;           ///< where requests are passed on to, without scheme and path: "127.0.0.1:8000", "api", "$slot"
  std::vector<std::string> files;            ///< that it was read from, in its order
  std::vector<std::string> include_folders;  ///< of each `include` with a wildcard: where a new file would be read, too
  bool splits_clients = false;               ///< a split_clients block
};
nginx_configuration configuration_in(std::string_view text, const std::string& prefix);

/// The upstream blocks, and the names of hosts that requests are passed to: what has several addresses is a group, too. Two passes to one
/// host, at whatever ports, have one name in the log.
std::vector<upstream_group> groups_of(const nginx_configuration& nginx);

}  // namespace flipback::rollback
