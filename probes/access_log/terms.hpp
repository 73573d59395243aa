#pragma once

#include "flipback/probe.hpp"
#include "flipback/settings.hpp"

#include "probes/access_log/line_format.hpp"
#include "probes/access_log/source.hpp"
#include "probes/access_log/traffic.hpp"

#include <span>
#include <string>
#include <vector>

namespace flipback::access_log {

/// What a person says of a log, and what holds where they say nothing (probes/README.md: `access_log`).
struct terms {
  std::vector<std::string> paths;  ///< of the files, or the one of the socket that syslog messages come to
  bool is_socket = false;
  socket_access access;
  line_format format = recommended_keys();
  filter leave_out;
  duration hang_after = std::chrono::seconds(1);
  duration slow_after = std::chrono::seconds(1);
  duration lag_limit = std::chrono::seconds(10);
  duration catch_up = std::chrono::minutes(10);  ///< how much of the past is read at the start
};

/// Whether both paths lead to one file.
bool is_same_log(const std::string& one, const std::string& other);
/// Those of nginx's directives that write to one of these logs.
std::vector<access_log_directive> written_to(std::span<const std::string> paths, const std::vector<access_log_directive>& all);

/// Reads a probe's table, to its end.
terms read_terms(settings::section& from);

}  // namespace flipback::access_log
