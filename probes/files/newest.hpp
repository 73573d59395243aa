#pragma once

#include "flipback/units.hpp"

#include "probes/net/network.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace flipback::files {

/// Which files count: those in the folder whose name the pattern matches (fnmatch(3); a leading dot must be written).
struct file_pattern {
  std::string folder;
  std::string name;
};

struct newest_file {
  std::string name;
  wall_time modified;
  std::uint64_t size = 0;  ///< bytes
};

struct file_search {
  std::optional<newest_file> newest;
  std::uint64_t matching = 0;  ///< regular files, and links to such
  bool finished = true;        ///< false: the folder has more entries than are looked at
};

inline constexpr std::size_t most_entries = 100'000;

/// Fails where the folder, or a file that matches, can't be looked at. Blocks for as long as their file system does.
net::result<file_search> search_files(const file_pattern& what, std::size_t most = most_entries);

}  // namespace flipback::files
