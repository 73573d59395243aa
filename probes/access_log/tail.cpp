#include "probes/access_log/tail.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace flipback::access_log {

namespace {

constexpr std::size_t chunk = 64 * 1024;
constexpr int quiet_reads_before_leaving = 3;  // reads without a byte before a renamed file is left

}  // namespace

tail::~tail() {
  close();
}

void tail::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  partial_.clear();
  skipping_ = false;
  quiet_reads_ = 0;
}

void tail::start_near_end(std::uint64_t bytes) {
  close();
  from_end_ = true;
  start_from_end_ = bytes;
}

bool tail::open() {
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat found{};
  if (fd_ < 0 || ::fstat(fd_, &found) != 0) {
    failed_ = errno;
    close();
    return false;
  }
  if (!S_ISREG(found.st_mode)) {
    failed_ = EISDIR;
    close();
    return false;
  }
  inode_ = found.st_ino;
  device_ = found.st_dev;
  offset_ = 0;
  if (from_end_) {
    offset_ = start_from_end_ == 0 ? found.st_size : std::max<off_t>(0, found.st_size - static_cast<off_t>(start_from_end_));
    char before = '\n';
    if (offset_ > 0 && ::pread(fd_, &before, 1, offset_ - 1) == 1) skipping_ = before != '\n';
  }
  from_end_ = false;
  return true;
}

bool tail::was_replaced() const {
  struct stat found{};
  return ::stat(path_.c_str(), &found) == 0 && (found.st_ino != inode_ || found.st_dev != device_);
}

void tail::feed(std::string_view bytes, const take_line& take) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (end == std::string_view::npos) {
      if (!skipping_) partial_.append(part);
      if (partial_.size() > longest_line) {
        ++skipped_;
        partial_.clear();
        skipping_ = true;
      }
      return;
    }
    if (skipping_) {
      skipping_ = false;
    } else if (partial_.empty()) {
      if (part.size() > longest_line)
        ++skipped_;
      else if (!part.empty())
        take(part);
    } else {
      partial_.append(part);
      if (partial_.size() > longest_line)
        ++skipped_;
      else
        take(partial_);
      partial_.clear();
    }
    bytes.remove_prefix(end + 1);
  }
}

std::expected<bool, std::string> tail::read(const take_line& take) {
  if (fd_ < 0 && !open()) {
    if (failed_ == ENOENT) {
      from_end_ = false;  // what appears later is new from its first byte
      return std::unexpected("does not exist");
    }
    return std::unexpected(failed_ == EISDIR ? std::string("is no regular file")
                                             : fmt::format("can't be read: {}", std::strerror(failed_)));
  }
  struct stat now{};
  if (::fstat(fd_, &now) == 0 && now.st_size < offset_) {  // copytruncate
    offset_ = 0;
    partial_.clear();
    skipping_ = false;
  }
  if (buffer_.empty()) buffer_.resize(chunk);
  std::size_t total = 0;
  while (total < most_at_once) {
    const ssize_t size = ::pread(fd_, buffer_.data(), buffer_.size(), offset_);
    if (size < 0) return std::unexpected(fmt::format("can't be read: {}", std::strerror(errno)));
    if (size == 0) break;
    offset_ += size;
    total += static_cast<std::size_t>(size);
    feed({buffer_.data(), static_cast<std::size_t>(size)}, take);
  }
  if (total >= most_at_once) return true;
  if (total > 0) {
    quiet_reads_ = 0;
  } else if (was_replaced() && ++quiet_reads_ >= quiet_reads_before_leaving) {
    close();
    return true;
  }
  return false;
}

}  // namespace flipback::access_log
