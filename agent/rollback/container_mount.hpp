#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace flipback::rollback {

/// Where a process that has a mount namespace of its own (nginx in a container) sees this very file as a mount of the file alone. A rename
/// over the file here leaves the old one mounted there, for good. Nothing: it does not, or its mounts can't be read.
std::optional<std::string> mounted_alone_at(pid_t process, const std::string& path);

/// Why a file that nginx sees mounted alone, at this path of its own, can't be switched as it is asked for, with what to do; "" where it
/// can.
std::string obstacle_by_mount(const std::optional<std::string>& at, const std::string& path, bool in_place);

}  // namespace flipback::rollback
