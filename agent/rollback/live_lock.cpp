#include "agent/rollback/beside.hpp"
#include "agent/rollback/file_image.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace flipback::rollback {

namespace {

/// Whoever can open it can lock it, and so keep an agent from acting: it is made for one user alone. One that can be read and not written
/// (a folder that is mounted read-only for us) can be locked all the same.
descriptor open_lock(const std::string& path) {
  constexpr int how = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  descriptor there(::open(path.c_str(), O_RDWR | how));
  if (there.is_open()) return there;
  if (errno == ENOENT) return descriptor(::open(path.c_str(), O_RDWR | O_CREAT | how, 0600));
  if (errno == EACCES || errno == EROFS) return descriptor(::open(path.c_str(), O_RDONLY | how));
  return there;
}

bool is_still_there(int fd, const std::string& path) {
  struct stat held{};
  struct stat named{};
  return ::fstat(fd, &held) == 0 && ::lstat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

}  // namespace

std::expected<live_lock, live_lock::refusal> live_lock::take(const std::string& live_path) {
  const std::string path = beside(live_path, dotfile::lock);
  for (int tries = 0; tries < 8; ++tries) {
    descriptor file = open_lock(path);
    if (!file.is_open()) return std::unexpected(refusal{false, cant("lock", path, errno)});
    struct stat found{};
    if (::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode))
      return std::unexpected(refusal{false, fmt::format("{} is no regular file, so it can't be locked: take it away", path)});
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK)
        return std::unexpected(refusal{
            true, fmt::format("another agent acts on {}: it holds {} (fuser -v {} shows which one, on this host)", live_path, path, path)});
      return std::unexpected(refusal{false, cant("lock", path, errno)});
    }
    // Whoever unlinked it and locked a new one holds a lock as good as ours.
    if (is_still_there(file.get(), path)) return live_lock(std::move(file), path);
  }
  return std::unexpected(refusal{false, fmt::format("{} is taken away again and again while it is being locked", path)});
}

bool live_lock::holds() const {
  return is_still_there(file_.get(), path_);
}

}  // namespace flipback::rollback
