#include "agent/rollback/attributes.hpp"

#include "agent/rollback/beside.hpp"
#include "agent/rollback/file_image.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>

namespace flipback::rollback {

namespace {

constexpr std::size_t largest_attribute = 64 * 1024;  // the kernel's own bound

std::optional<std::string> attribute(int fd, const char* name) {
  std::string value(largest_attribute, '\0');
  const ssize_t size = ::fgetxattr(fd, name, value.data(), value.size());
  if (size < 0) return std::nullopt;
  value.resize(static_cast<std::size_t>(size));
  return value;
}

std::string copy_attributes(int from, int to, const std::string& path) {
  std::string names(largest_attribute, '\0');
  const ssize_t size = ::flistxattr(from, names.data(), names.size());
  if (size < 0) return errno == ENOTSUP || errno == ENOSYS ? "" : cant("list the attributes of", path, errno);
  names.resize(static_cast<std::size_t>(size));
  for (std::size_t at = 0; at < names.size();) {
    const char* name = names.c_str() + at;
    at += std::string_view(name).size() + 1;
    // Checksums over the bytes: the kernel makes them anew.
    if (std::string_view(name) == "security.ima" || std::string_view(name) == "security.evm") continue;
    const auto value = attribute(from, name);
    if (!value || attribute(to, name) == value) continue;
    if (::fsetxattr(to, name, value->data(), value->size(), 0) != 0)
      return fmt::format("can't keep the attribute {} of {}: write = \"in_place\" leaves it as it is", name, path);
  }
  return "";
}

/// The system's own table, for kernels that don't say it with a file: spaces and the like are written there as \040.
bool is_in_mount_table(const std::string& real) {
  std::ifstream table("/proc/self/mountinfo");
  for (std::string line; std::getline(table, line);) {
    std::size_t from = 0;
    for (int field = 0; field < 4 && from != std::string::npos; ++field) from = line.find(' ', from + (field == 0 ? 0U : 1U));
    if (from == std::string::npos) continue;
    const std::string_view written = std::string_view(line).substr(from + 1, line.find(' ', from + 1) - from - 1);
    std::string point;
    for (std::size_t i = 0; i < written.size(); ++i) {
      if (written[i] == '\\' && i + 3 < written.size()) {
        point += static_cast<char>(std::strtol(std::string(written.substr(i + 1, 3)).c_str(), nullptr, 8));
        i += 3;
      } else {
        point += written[i];
      }
    }
    if (point == real) return true;
  }
  return false;
}

bool has(const std::string& path, std::uint64_t attribute_bit) {
  struct statx found{};
  return ::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, 0, &found) == 0 && (found.stx_attributes & attribute_bit) != 0;
}

}  // namespace

std::string keep_attributes(int fresh, const file_image& of, const std::string& like) {
  if (::fchown(fresh, of.owner, of.group) != 0)
    return fmt::format(
        "{} belongs to user {} and group {}, to whom user {} can't give a new file: run Flipback as root or as that user, or write "
        "= \"in_place\"",
        like, of.owner, of.group, ::geteuid());
  if (::fchmod(fresh, of.mode & 07777U) != 0) return cant("set the mode of the file that is to replace", like, errno);
  const descriptor there(::open(like.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  return there.is_open() ? copy_attributes(there.get(), fresh, like) : "";
}

bool is_mount_point(const std::string& path) {
  // Device numbers are no help: with overlays those of a file and of its folder differ anyway.
  struct statx found{};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, 0, &found) != 0) return false;
  if ((found.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0) return (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  std::error_code error;
  const auto folder = std::filesystem::canonical(folder_of(path), error);
  return !error && is_in_mount_table((folder / std::filesystem::path(path).filename()).string());
}

std::string fixed_in_place(const std::string& path) {
  if (is_mount_point(path))
    return fmt::format("{} is a mount point, which can't be renamed over: write = \"in_place\", or mount its folder instead", path);
  const std::string folder = folder_of(path);
  for (const std::string& p : {path, folder}) {
    if (has(p, STATX_ATTR_IMMUTABLE)) return fmt::format("{} is immutable: chattr -i {}", p, p);
    if (has(p, STATX_ATTR_APPEND)) return fmt::format("{} can only be appended to: chattr -a {}", p, p);
  }
  struct stat of_folder{};
  struct stat of_file{};
  const uid_t us = ::geteuid();
  if (us != 0 && ::stat(folder.c_str(), &of_folder) == 0 && (of_folder.st_mode & S_ISVTX) != 0 && of_folder.st_uid != us &&
      ::lstat(path.c_str(), &of_file) == 0 && of_file.st_uid != us)
    return fmt::format("{} belongs to user {} in a folder where only owners may replace files: chmod -t {}", path, of_file.st_uid, folder);
  return "";
}

}  // namespace flipback::rollback
