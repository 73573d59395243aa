#pragma once

#include "flipback/units.hpp"

#include <sys/stat.h>

#include <string>
#include <vector>

namespace flipback::access_log {

/// A file that a log was moved or copied to.
struct rotated {
  std::string path;
  struct stat is{};
};

/// The rotated files of a log, the newest first, as logrotate names them: "access.json.1", "access.json-20261126". Compressed ones are not
/// among them.
std::vector<rotated> rotated_of(const std::string& path);

inline wall_time written_at(const struct stat& file) {
  return wall_time(std::chrono::seconds(file.st_mtim.tv_sec) + std::chrono::nanoseconds(file.st_mtim.tv_nsec));
}

inline bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

}  // namespace flipback::access_log
