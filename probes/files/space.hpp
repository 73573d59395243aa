#pragma once

#include "probes/net/network.hpp"

#include <sys/statvfs.h>

#include <optional>
#include <string>

namespace flipback::files {

/// What is free of a file system for whoever is not root, as df counts it: of all that is used or can be had, so that blocks kept for root
/// count as neither.
struct space {
  double free_ratio = 0;
  double free_bytes = 0;
  std::optional<double> inodes_free_ratio;  ///< absent: it has no fixed number of them (btrfs)
};

/// Nothing: it has no size (/proc).
std::optional<space> space_of(const struct statvfs& told);

/// Of the file system that the path is on. Blocks for as long as that does.
net::result<space> look_at_space(const std::string& path);

}  // namespace flipback::files
