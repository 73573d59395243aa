#include "agent/deployment/files_seen.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>

namespace flipback::deployment {

namespace {

wall_time time_of(const timespec& t) {
  return wall_time(std::chrono::duration_cast<wall_time::duration>(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec)));
}

}  // namespace

files_seen::files_seen(const std::vector<std::string>& paths) {
  watch(paths);
}

files_seen::identity files_seen::now(const std::string& path) {
  struct stat is{};
  if (::stat(path.c_str(), &is) != 0) return {};
  return {is.st_dev, is.st_ino, is.st_size, time_of(is.st_mtim), time_of(is.st_ctim)};
}

void files_seen::watch(const std::vector<std::string>& paths) {
  std::map<std::string, identity> all;
  for (const std::string& path : paths) {
    const auto was = seen_.find(path);
    all[path] = was == seen_.end() ? now(path) : was->second;
  }
  seen_ = std::move(all);
}

void files_seen::look() {
  for (auto& [path, is] : seen_) is = now(path);
}

bool files_seen::differ() const {
  return std::ranges::any_of(seen_, [](const auto& file) { return now(file.first) != file.second; });
}

std::optional<wall_time> files_seen::changed() const {
  std::optional<wall_time> newest;
  for (const auto& [path, is] : seen_) {
    if (is != identity{}) newest = std::max(newest, std::optional(std::max(is.written, is.changed)));
  }
  return newest;
}

}  // namespace flipback::deployment
