#pragma once

#include "probes/net/network.hpp"

#include <string_view>

namespace flipback::files {

/// What an errno says of a path, or of ourselves: ENOENT is `absent`, EACCES `no_prerequisite`, EMFILE `own_limits`, …
net::failure failure_of(int error, std::string_view path);

/// Whether a path of the configuration can be one of this host, whatever the working directory.
inline bool is_absolute(std::string_view path) {
  return path.starts_with('/') && path.find('\0') == std::string_view::npos;
}

}  // namespace flipback::files
