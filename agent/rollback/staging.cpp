#include "agent/rollback/attributes.hpp"
#include "agent/rollback/beside.hpp"
#include "agent/rollback/file_image.hpp"
#include "agent/rollback/in_place.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace flipback::rollback {

namespace {

bool has_room(const std::string& room, std::size_t bytes) {
  struct stat found{};
  return ::lstat(room.c_str(), &found) == 0 && S_ISREG(found.st_mode) && static_cast<std::size_t>(found.st_size) >= bytes;
}

/// A file without a name, or one whose name is gone at once.
descriptor trial_file(const std::string& path) {
  descriptor nameless(::open(folder_of(path).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (nameless.is_open() || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)) return nameless;
  const std::string trial = beside(path, dotfile::trial);
  ::unlink(trial.c_str());
  descriptor named(::open(trial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  const int error = errno;
  if (named.is_open()) ::unlink(trial.c_str());
  errno = error;
  return named;
}

}  // namespace

std::expected<void, std::string> stage(const std::string& path, std::size_t bytes) {
  const std::string room = beside(path, dotfile::room);
  if (has_room(room, bytes)) return {};
  ::unlink(room.c_str());
  const descriptor file(::open(room.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) return std::unexpected(cant("make room in", room, errno));
  int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(std::max<std::size_t>(bytes, 1)));
  if (error == 0 && ::fsync(file.get()) != 0) error = errno;
  if (error == 0) return {};
  ::unlink(room.c_str());
  return std::unexpected(cant("make room in", room, error));
}

void unstage(const std::string& path) {
  ::unlink(beside(path, dotfile::room).c_str());
  ::unlink(beside(path, dotfile::kept).c_str());
}

void sweep(const std::string& path) {
  unstage(path);
  ::unlink(beside(path, dotfile::fresh).c_str());
  ::unlink(beside(path, dotfile::trial).c_str());
}

std::string obstacle_to_put(const std::string& path, bool in_place) {
  const auto now = read_image(path);
  if (!now) return now.error();
  const bool regular = now->is == file_image::kind::regular;
  if (in_place && regular) return obstacle_in_place(path);
  if (std::string fixed = fixed_in_place(path); !fixed.empty()) return fixed;
  const descriptor trial = trial_file(path);
  if (!trial.is_open()) return cant("make a file in", folder_of(path), errno);
  if (!regular) return "";
  if (std::string lost = keep_attributes(trial.get(), *now, path); !lost.empty()) return lost;
  if (has_room(beside(path, dotfile::room), now->bytes.size())) return "";
  const int error = ::posix_fallocate(trial.get(), 0, static_cast<off_t>(std::max<std::size_t>(now->bytes.size(), 1)));
  return error == 0 ? "" : cant("make room in", folder_of(path), error);
}

}  // namespace flipback::rollback
