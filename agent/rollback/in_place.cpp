#include "agent/rollback/in_place.hpp"

#include "agent/rollback/beside.hpp"
#include "agent/rollback/file_image.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <expected>

namespace flipback::rollback {

namespace {

constexpr std::size_t page = 4096;  // what the kernel writes as one, at the least

constexpr put_result::kind unchanged = put_result::kind::failed;

std::expected<descriptor, std::string> open_to_write(const std::string& path) {
  // Never O_TRUNC: between it and the first byte nothing would be there to tell what the file said.
  descriptor file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.is_open()) return std::unexpected(cant("write into", path, errno));
  struct stat found{};
  if (::fstat(file.get(), &found) != 0) return std::unexpected(cant("look at", path, errno));
  if (!S_ISREG(found.st_mode)) return std::unexpected(fmt::format("{} is no regular file any more", path));
  if (found.st_nlink > 1)
    return std::unexpected(
        fmt::format("{} has {} names, and writing into it would change them all: give it a file of its own (cp {} {}.own, and "
                    "mount or move that)",
                    path, found.st_nlink, path, path));
  return file;
}

std::expected<std::string, int> read_all(int fd) {
  std::string bytes;
  std::array<char, 16 * 1024> part{};
  for (;;) {
    const ssize_t size = ::pread(fd, part.data(), part.size(), static_cast<off_t>(bytes.size()));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::unexpected(errno);
    if (size == 0 || bytes.size() > 2 * largest_live_file) return bytes;
    bytes.append(part.data(), static_cast<std::size_t>(size));
  }
}

int overwrite(int fd, std::string_view bytes) {
  if (const int error = write_all(fd, bytes); error != 0) return error;
  if (::ftruncate(fd, static_cast<off_t>(bytes.size())) != 0) return errno;
  return ::fsync(fd) == 0 ? 0 : errno;
}

bool is_mixture(std::string_view now, std::string_view from, std::string_view to) {
  if (now.size() < std::min(from.size(), to.size()) || now.size() > std::max(from.size(), to.size())) return false;
  for (std::size_t at = 0; at < now.size(); at += page) {
    const std::string_view here = now.substr(at, page);
    const auto is_of = [&](std::string_view end) { return at < end.size() && end.substr(at, here.size()) == here; };
    if (is_of(from) || is_of(to)) continue;
    // The page in which the shorter one ends: its bytes, then what the longer one says.
    const std::string_view shorter = from.size() < to.size() ? from : to;
    const std::string_view longer = from.size() < to.size() ? to : from;
    const std::size_t of_shorter = shorter.size() > at ? std::min(shorter.size() - at, here.size()) : 0;
    if (of_shorter == 0 || of_shorter == here.size() || longer.size() < at + here.size()) return false;
    if (here.substr(0, of_shorter) != shorter.substr(at, of_shorter)) return false;
    if (here.substr(of_shorter) != longer.substr(at + of_shorter, here.size() - of_shorter)) return false;
  }
  return true;
}

}  // namespace

bool is_half_written(std::string_view now, const file_change& c) {
  if (c.before.is != file_image::kind::regular || c.after.is != file_image::kind::regular) return false;
  return is_mixture(now, c.before.bytes, c.after.bytes);
}

put_result write_in_place(const file_change& c, end to) {
  const file_image& want = to == end::after ? c.after : c.before;
  const file_image& other = to == end::after ? c.before : c.after;
  const auto file = open_to_write(c.path);
  if (!file) return {.is = unchanged, .says = file.error()};
  const auto now = read_all(file->get());
  if (!now) return {.is = unchanged, .says = cant("read", c.path, now.error())};
  if (*now != other.bytes && *now != want.bytes && !is_half_written(*now, c))
    return {.is = put_result::kind::foreign, .says = fmt::format("{} was changed by somebody else in the last instant", c.path)};
  // A full disk is found out before the first byte is written; where that can't be asked for, the write itself says so.
  if (::fallocate(file->get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(std::max<std::size_t>(want.bytes.size(), 1))) != 0 &&
      errno != EOPNOTSUPP && errno != ENOSYS)
    return {.is = unchanged, .says = cant("make room in", c.path, errno)};
  const int error = overwrite(file->get(), want.bytes);
  if (error == 0) return {};
  const bool back = overwrite(file->get(), *now) == 0;
  return {.is = back ? unchanged : put_result::kind::cant_tell, .says = cant("write", c.path, error)};
}

std::string obstacle_in_place(const std::string& path) {
  const auto file = open_to_write(path);
  return file ? "" : file.error();
}

}  // namespace flipback::rollback
