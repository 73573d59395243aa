#pragma once

#include "probes/access_log/line.hpp"

#include <string>
#include <vector>

namespace flipback::access_log {

/// What is left out of the traffic, beside Flipback's own requests. Paths are as the client sent them, without the query.
struct filter {
  std::vector<std::string> health_paths{"/health"};  ///< exactly these
  std::vector<std::string> paths;                    ///< prefixes
  std::vector<std::string> hosts;
  std::vector<std::string> methods;
  std::vector<std::string> agents;  ///< prefixes
  /// Paths (prefixes) whose latency says nothing, and whose users hang up when they have enough: event streams, long polls. They count as
  /// requests all the same.
  std::vector<std::string> slow_paths;

  [[nodiscard]] bool lets_in(const line& of) const;
  [[nodiscard]] bool is_slow_path(const line& of) const;
};

}  // namespace flipback::access_log
