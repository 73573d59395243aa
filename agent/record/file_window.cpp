#include "agent/record/file_window.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace flipback {

namespace {

constexpr std::size_t at_once = std::size_t{256} << 10U;  ///< bytes, where fewer are asked for

std::unexpected<std::string> unreadable(int error) {
  return std::unexpected(fmt::format("can't be read: {}", std::strerror(error)));
}

/// Bytes from there on, as many as there are up to this many.
std::expected<std::string, std::string> read_at(int fd, std::size_t at, std::size_t bytes) {
  std::string found;
  found.resize(bytes);
  std::size_t had = 0;
  while (had < bytes) {
    const ssize_t more = ::pread(fd, found.data() + had, bytes - had, static_cast<off_t>(at + had));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return unreadable(errno);
    if (more == 0) break;
    had += static_cast<std::size_t>(more);
  }
  found.resize(had);
  return found;
}

}  // namespace

std::expected<file_window, std::string> file_window::of(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return unreadable(errno);
  struct stat found{};
  const int error = ::fstat(fd, &found) != 0 ? errno : S_ISDIR(found.st_mode) ? EISDIR : 0;
  file_window made(fd, static_cast<std::size_t>(found.st_size));
  if (error != 0) return unreadable(error);
  if (!S_ISREG(found.st_mode)) return std::unexpected("is no regular file");
  return made;
}

file_window::~file_window() {
  if (fd_ >= 0) ::close(fd_);
}

std::expected<std::string_view, std::string> file_window::piece(std::size_t at, std::size_t bytes) {
  const bool there = at >= begin_ && at - begin_ <= read_.size() && read_.size() - (at - begin_) >= bytes;
  if (!there) {
    auto more = read_at(fd_, at, std::min(std::max(bytes, at_once), size_ - std::min(at, size_)));
    if (!more) return std::unexpected(std::move(more.error()));
    begin_ = at;
    read_ = std::move(*more);
  }
  return std::string_view(read_).substr(at - begin_, bytes);
}

std::expected<std::string, std::string> file_window::whole() {
  return read_at(fd_, 0, size_);
}

}  // namespace flipback
