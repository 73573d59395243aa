#include "agent/record/mapped_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace flipback {

namespace {

std::unexpected<std::string> unreadable(int error) {
  return std::unexpected(fmt::format("can't be read: {}", std::strerror(error)));
}

}  // namespace

std::expected<mapped_file, std::string> mapped_file::of(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return unreadable(errno);
  struct stat found{};
  const int error = ::fstat(fd, &found) != 0 ? errno : S_ISDIR(found.st_mode) ? EISDIR : 0;
  const auto size = static_cast<std::size_t>(found.st_size);
  if (error != 0 || !S_ISREG(found.st_mode) || size == 0) {
    ::close(fd);
    if (error != 0) return unreadable(error);
    if (!S_ISREG(found.st_mode)) return std::unexpected("is no regular file");
    return mapped_file(nullptr, 0);
  }
  void* const begin = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  const int failed = errno;
  ::close(fd);
  if (begin == MAP_FAILED) return unreadable(failed);
  ::madvise(begin, size, MADV_SEQUENTIAL);
  return mapped_file(begin, size);
}

mapped_file::~mapped_file() {
  if (begin_ != nullptr) ::munmap(begin_, size_);
}

}  // namespace flipback
