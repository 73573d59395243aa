#pragma once

#include <string>

namespace flipback::cli {

/// Looks at this host, and writes a configuration to `output`, which must not be there yet, or to standard output where it is empty. What
/// could not be told goes to standard error. Gives the exit status: 0, or 2 where the file can't be written.
int init(const std::string& output);

}  // namespace flipback::cli
