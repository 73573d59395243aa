#include "agent/rollback/file_image.hpp"

#include "agent/rollback/beside.hpp"
#include "agent/rollback/in_place.hpp"

#include <climits>
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>

namespace flipback::rollback {

namespace {

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

std::unexpected<std::string> no_file(const std::string& path, mode_t mode) {
  return std::unexpected(fmt::format("{} is {}, but a regular file or a link was expected: name the file itself", path, kind_of(mode)));
}

std::unexpected<std::string> too_large(const std::string& path, off_t size) {
  return std::unexpected(
      fmt::format("{} has {} bytes, more than the {} that a file which is switched may have: move what is not switched into "
                  "a file of its own and include it",
                  path, size, largest_live_file));
}

void take_owner(file_image& into, const struct stat& found) {
  into.mode = found.st_mode & 07777U;
  into.owner = found.st_uid;
  into.group = found.st_gid;
}

std::expected<file_image, std::string> read_link(const std::string& path, const struct stat& found) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return std::unexpected(cant("read the link", path, errno));
  file_image read;
  read.is = file_image::kind::link;
  read.target.assign(target.data(), static_cast<std::size_t>(size));
  read.owner = found.st_uid;
  read.group = found.st_gid;
  return read;
}

std::expected<file_image, std::string> read_regular(const std::string& path) {
  // Between the look and this a pipe may have come to stand there: O_NONBLOCK keeps even that from holding us up.
  const descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.is_open()) return std::unexpected(cant("read", path, errno));
  struct stat found{};
  if (::fstat(file.get(), &found) != 0) return std::unexpected(cant("read", path, errno));
  if (!S_ISREG(found.st_mode)) return no_file(path, found.st_mode);
  file_image read;
  read.is = file_image::kind::regular;
  take_owner(read, found);
  std::array<char, 16 * 1024> part{};
  for (;;) {
    const ssize_t size = ::read(file.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::unexpected(cant("read", path, errno));
    if (size == 0) return read;
    read.bytes.append(part.data(), static_cast<std::size_t>(size));
    if (read.bytes.size() > largest_live_file) return too_large(path, found.st_size);
  }
}

}  // namespace

std::expected<file_image, std::string> read_image(const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return file_image{};
    return std::unexpected(cant("read", path, errno));
  }
  if (S_ISLNK(found.st_mode)) return read_link(path, found);
  if (!S_ISREG(found.st_mode)) return no_file(path, found.st_mode);
  if (static_cast<std::size_t>(found.st_size) > largest_live_file) return too_large(path, found.st_size);
  return read_regular(path);
}

std::expected<file_image, std::string> read_behind(const std::string& path, std::string& resolved) {
  auto here = read_image(path);
  if (!here || here->is != file_image::kind::link) {
    resolved = path;
    return here;
  }
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) {
    if (errno != ENOENT) return std::unexpected(cant("follow the link", path, errno));
    return std::unexpected(fmt::format("{} is a link to {}, which does not exist: make that file, or let the link lead elsewhere (ln -sfn)",
                                       path, here->target));
  }
  resolved = real.get();
  return read_image(resolved);
}

change_state state_of(const file_change& c, bool in_place) {
  const auto now = read_image(c.path);
  if (!now) return {.is = change_state::kind::cant_tell, .says = now.error()};
  if (now->says_the_same_as(c.before)) return {.is = change_state::kind::before, .says = {}};
  if (now->says_the_same_as(c.after)) return {.is = change_state::kind::after, .says = {}};
  if (in_place && is_half_written(now->bytes, c))
    return {.is = change_state::kind::cant_tell, .says = fmt::format("{} is half written by an attempt that was cut off", c.path)};
  return {.is = change_state::kind::foreign,
          .says = fmt::format("{} says neither what it said before nor what it was to say: somebody else changed it", c.path)};
}

}  // namespace flipback::rollback
