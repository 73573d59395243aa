#include "agent/rollback/beside.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace flipback::rollback {

namespace {

/// Root has no use for the helper, which is root itself.
std::string_view or_the_helper() {
  return ::geteuid() == 0 ? "" : ", or let the helper do it ([nginx] helper)";
}

std::string what_to_do(const std::string& path, int error) {
  std::error_code unlooked_at;
  switch (error) {
    case EACCES:
      return fmt::format("; let user {} do so, or run Flipback as one who may{}", ::geteuid(), or_the_helper());
    case EROFS:
      return fmt::format("; mount {} writable (systemd: ReadWritePaths=, Docker: without :ro){}",
                         std::filesystem::is_directory(path, unlooked_at) ? path : folder_of(path), or_the_helper());
    case ENOSPC:
    case EDQUOT:
      return "; make room there";
    case EPERM:
      return fmt::format("; look whether it is immutable: lsattr -d {0} {1}", path, folder_of(path));
    case EBUSY:
      return "; it is a mount point, which can't be renamed over: write = \"in_place\"";
    case ELOOP:
      return "; take the link away";
    default:
      return "";
  }
}

std::string_view suffix(dotfile which) {
  switch (which) {
    case dotfile::fresh:
      return "new";
    case dotfile::room:
      return "room";
    case dotfile::kept:
      return "kept";
    case dotfile::trial:
      return "trial";
    case dotfile::theirs:
      return "theirs";
    case dotfile::lock:
      return "lock";
  }
  return "";
}

}  // namespace

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string beside(const std::string& path, dotfile which) {
  const std::filesystem::path p(path);
  return (p.parent_path() / fmt::format(".{}.flipback-{}", p.filename().string(), suffix(which))).string();
}

std::string cant(std::string_view doing, const std::string& path, int error) {
  return fmt::format("can't {} {}: {}{}", doing, path, std::strerror(error), what_to_do(path, error));
}

int sync_folder_of(const std::string& path) {
  const descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder.is_open() && ::fsync(folder.get()) == 0 ? 0 : errno;
}

int write_all(int fd, std::string_view bytes, off_t at) {
  while (!bytes.empty()) {
    const ssize_t size = ::pwrite(fd, bytes.data(), bytes.size(), at);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size < 0 ? errno : EIO;
    bytes.remove_prefix(static_cast<std::size_t>(size));
    at += size;
  }
  return 0;
}

}  // namespace flipback::rollback
