#pragma once

#include "agent/config/configuration.hpp"

#include <sys/types.h>

#include <expected>
#include <string>

namespace flipback::privileged {

/// What root has written for the helper: whom it serves, nginx, the switch and what it needs of the slots. The rest is not read.
struct settings {
  uid_t serves = 0;
  gid_t served_group = 0;
  config::configuration of;
};

/// Reads the file. An error is one line: what is wrong in it, or that it, or a file that it names, is not root's own.
std::expected<settings, std::string> read_settings(const std::string& file);

}  // namespace flipback::privileged
