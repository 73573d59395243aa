#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>

namespace flipback::rollback {

/// What nginx itself writes at the head of each line of its error log (ngx_log_error_core). What follows may quote what clients sent, and
/// says nothing.
struct error_log_line {
  std::string_view level;  ///< "emerg", "error", …
  pid_t pid = 0;           ///< of the process that wrote it
};

/// Reads `YYYY/MM/DD HH:MM:SS [level] pid#tid: …`; nothing where the line does not begin exactly so. `level` points into it.
std::optional<error_log_line> read_error_log_line(std::string_view line);

}  // namespace flipback::rollback
