#include "agent/store/set_aside.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace flipback {

namespace {

constexpr std::string_view infix = ".unreadable-";

bool exists(const std::string& path) {
  struct stat is{};
  return ::lstat(path.c_str(), &is) == 0;
}

std::string free_name(const std::string& file) {
  const std::string base = fmt::format("{}{}{:%Y%m%dT%H%M%SZ}", file, infix,
                                       fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
  std::string name = base;
  for (int more = 2; exists(name); ++more) name = fmt::format("{}-{}", base, more);
  return name;
}

}  // namespace

std::expected<std::string, std::string> set_aside(const std::string& file, const std::vector<std::string>& endings) {
  std::string aside = free_name(file);
  for (const std::string& ending : endings) {
    if (::rename((file + ending).c_str(), (aside + ending).c_str()) != 0 && errno != ENOENT) return std::unexpected(std::strerror(errno));
  }
  if (::rename(file.c_str(), aside.c_str()) != 0) return std::unexpected(std::strerror(errno));
  return aside;
}

std::string newest_aside(const std::string& file) {
  const std::filesystem::path path(file);
  const std::string start = path.filename().string() + std::string(infix);
  std::string newest;
  std::error_code unseen;
  for (std::filesystem::directory_iterator at(path.parent_path(), unseen); !unseen && at != std::filesystem::directory_iterator();
       at.increment(unseen)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with(start) && !name.ends_with("-wal") && !name.ends_with("-shm") && name > newest) newest = name;
  }
  return newest.empty() ? "" : (path.parent_path() / newest).string();
}

}  // namespace flipback
