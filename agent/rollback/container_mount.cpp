#include "agent/rollback/container_mount.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <cstddef>
#include <fstream>
#include <sstream>

namespace flipback::rollback {

namespace {

bool shares_our_mounts(pid_t process) {
  struct stat ours{};
  struct stat its{};
  const std::string of = fmt::format("/proc/{}/ns/mnt", process);
  return ::stat("/proc/self/ns/mnt", &ours) != 0 || ::stat(of.c_str(), &its) != 0 || ours.st_ino == its.st_ino;
}

/// proc(5): white space and backslashes in a path are written as \ooo.
std::string unescaped(const std::string& text) {
  constexpr std::size_t digits = 3;
  std::string made;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string octal = text.substr(at + 1, digits);
    if (text[at] != '\\' || octal.size() < digits || octal.find_first_not_of("01234567") != std::string::npos) {
      made += text[at];
      continue;
    }
    made += static_cast<char>(std::stoi(octal, nullptr, 8));
    at += digits;
  }
  return made;
}

}  // namespace

std::optional<std::string> mounted_alone_at(pid_t process, const std::string& path) {
  struct stat here{};
  if (shares_our_mounts(process) || ::stat(path.c_str(), &here) != 0 || !S_ISREG(here.st_mode)) return std::nullopt;
  std::ifstream mounts(fmt::format("/proc/{}/mountinfo", process));
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string at;
    for (int i = 0; i < 5; ++i) fields >> at;  // id, parent, device, root, mount point
    at = unescaped(at);
    struct stat there{};
    const std::string seen = fmt::format("/proc/{}/root{}", process, at);
    if (::lstat(seen.c_str(), &there) == 0 && S_ISREG(there.st_mode) && there.st_dev == here.st_dev && there.st_ino == here.st_ino)
      return at;
  }
  return std::nullopt;
}

std::string obstacle_by_mount(const std::optional<std::string>& at, const std::string& path, bool in_place) {
  if (!at) return "";
  struct stat itself{};
  const bool is_link = ::lstat(path.c_str(), &itself) == 0 && S_ISLNK(itself.st_mode);
  if (in_place && !is_link) return "";
  if (is_link)
    return fmt::format(
        "nginx sees what the link {} led to as a mount of that file alone, at {}, so that it would not see where the link "
        "leads next: mount the folder instead",
        path, *at);
  return fmt::format(
      "nginx sees {} as a mount of that file alone, at {}, and would not see a file that is renamed over it: write = "
      "\"in_place\", or mount its folder instead",
      path, *at);
}

}  // namespace flipback::rollback
