#include "flipback/small_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace flipback {

namespace {

std::optional<std::string> unreadable_kind(mode_t mode) {
  if (S_ISREG(mode) || S_ISDIR(mode)) return std::nullopt;
  const char* const is = S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" : "a device";
  return fmt::format("is {}, expected a regular file", is);
}

std::unexpected<std::string> failed(int error) {
  return std::unexpected(std::string(std::strerror(error)));
}

std::expected<std::string, std::string> read_from(int file, std::size_t most) {
  struct stat found{};
  if (::fstat(file, &found) != 0) return failed(errno);
  if (S_ISDIR(found.st_mode)) return failed(EISDIR);
  if (auto kind = unreadable_kind(found.st_mode)) return std::unexpected(*std::move(kind));
  constexpr std::size_t least = 4096;  // of /proc and the like no size is known before
  std::string text;
  std::size_t size = 0;
  while (size <= most) {
    if (size == text.size())
      text.resize(std::min(most + 1, std::max({least, 2 * size, static_cast<std::size_t>(found.st_size) + 1})));
    const ssize_t got = ::read(file, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > most) return std::unexpected(fmt::format("is longer than {}KiB", most / 1024));
  text.resize(size);
  text.shrink_to_fit();
  return text;
}

}  // namespace

std::optional<std::string> unreadable_kind(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return unreadable_kind(found.st_mode);
}

std::expected<std::string, std::string> read_small_file(const std::string& path, std::size_t most) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (file < 0) {
    const int error = errno;
    if (auto kind = unreadable_kind(path)) return std::unexpected(*std::move(kind));  // a socket can't be opened at all
    return failed(error);
  }
  auto text = read_from(file, most);
  ::close(file);
  return text;
}

}  // namespace flipback
