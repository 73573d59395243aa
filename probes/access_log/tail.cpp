#include "probes/access_log/tail.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace flipback::access_log {

namespace {

constexpr std::size_t chunk = 64 * 1024;
constexpr int quiet_reads_before_leaving = 3;   // reads without a byte before a renamed file is left
constexpr std::time_t untouched_when_left = 2;  // seconds: nobody writes to it any more, and it need not be waited for
constexpr int looks_while_files_are_renamed = 3;

int open_to_read(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

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
  end_size_ = 0;
}

void tail::start_near_end(std::uint64_t bytes) {
  close();
  from_end_ = true;
  start_from_end_ = bytes;
}

void tail::start_in_the_past(std::uint64_t bytes, double since) {
  start_near_end(bytes);
  for (int looks = 0; looks < looks_while_files_are_renamed; ++looks) {
    if (begin_in_rotated(bytes, since)) return;
  }
}

/// False where files were renamed meanwhile, so that it is to be tried again.
bool tail::begin_in_rotated(std::uint64_t bytes, double since) {
  struct stat current{};
  const bool exists = ::stat(path_.c_str(), &current) == 0;
  const auto size = exists ? static_cast<std::uint64_t>(current.st_size) : 0;
  if (size >= bytes) return true;
  for (const rotated& r : rotated_of(path_)) {
    if (static_cast<double>(r.is.st_mtim.tv_sec) + 1 < since) return true;
    const bool moved_just_now = exists && same_file(r.is, current);
    if (!moved_just_now && size > 0 && begins_like(r.path)) continue;  // a copytruncate under way
    if (!open(r.path) || !same_file(opened_, r.is)) {
      close();
      return false;
    }
    begin_before_end(moved_just_now ? bytes : bytes - size);
    from_end_ = false;
    return true;
  }
  return true;
}

bool tail::open(const std::string& path) {
  fd_ = open_to_read(path);
  if (fd_ < 0 || ::fstat(fd_, &opened_) != 0) {
    failed_ = errno;
    close();
    return false;
  }
  if (!S_ISREG(opened_.st_mode)) {
    failed_ = EISDIR;
    close();
    return false;
  }
  offset_ = 0;
  return true;
}

void tail::begin_before_end(std::uint64_t bytes) {
  offset_ = std::max<off_t>(0, opened_.st_size - static_cast<off_t>(bytes));
  end_size_ = std::min(static_cast<std::size_t>(offset_), end_read_.size());
  const auto size = static_cast<ssize_t>(end_size_);
  if (::pread(fd_, end_read_.data(), end_size_, offset_ - size) != size) end_size_ = 0;
  skipping_ = end_size_ > 0 && end_read_.at(end_size_ - 1) != '\n';
}

/// Whether another file begins with the same bytes as the log.
bool tail::begins_like(const std::string& path) const {
  std::array<char, 4096> ours{};
  std::array<char, 4096> theirs{};
  const int log = open_to_read(path_);
  const int other = open_to_read(path);
  const ssize_t size = log < 0 ? -1 : ::pread(log, ours.data(), ours.size(), 0);
  const bool alike = size > 0 && other >= 0 && ::pread(other, theirs.data(), static_cast<std::size_t>(size), 0) == size &&
                     std::equal(ours.begin(), ours.begin() + size, theirs.begin());
  if (log >= 0) ::close(log);
  if (other >= 0) ::close(other);
  return alike;
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

void tail::remember_end(std::string_view bytes) {
  end_size_ = std::min(bytes.size(), end_read_.size());
  std::memcpy(end_read_.data(), bytes.data() + bytes.size() - end_size_, end_size_);
}

/// Whether what we read last stands at its place in a file: it is not so after a truncation, however much was written since.
bool tail::holds_what_was_read(int file) const {
  fingerprint there{};
  const off_t from = offset_ - static_cast<off_t>(end_size_);
  return ::pread(file, there.data(), end_size_, from) == static_cast<ssize_t>(end_size_) &&
         std::memcmp(there.data(), end_read_.data(), end_size_) == 0;
}

/// The file was truncated: goes on in its copy, or begins anew.
void tail::truncated() {
  for (const rotated& r : rotated_of(path_)) {
    if (r.is.st_size < offset_ || same_file(r.is, opened_)) continue;
    const int copy = open_to_read(r.path);
    if (copy < 0) continue;
    if (end_size_ > 0 && holds_what_was_read(copy)) {
      ::close(std::exchange(fd_, copy));
      opened_ = r.is;
      quiet_reads_ = 0;
      return;
    }
    ::close(copy);
  }
  offset_ = 0;
  end_size_ = 0;
  partial_.clear();
  skipping_ = false;
}

/// Whether a file without news is to be left for the one that has its name now. As long as that one is empty, nginx may not have reopened.
bool tail::may_leave() {
  struct stat named{};
  struct stat ours{};
  if (::stat(path_.c_str(), &named) != 0 || same_file(named, opened_) || named.st_size == 0) return false;
  const bool untouched = ::fstat(fd_, &ours) == 0 && ours.st_mtim.tv_sec + untouched_when_left < std::time(nullptr);
  return untouched || ++quiet_reads_ >= quiet_reads_before_leaving;
}

std::expected<bool, std::string> tail::read(const take_line& take) {
  if (fd_ < 0 && !open(path_)) {
    if (failed_ == ENOENT) {
      from_end_ = false;  // what appears later is new from its first byte
      return std::unexpected("does not exist");
    }
    return std::unexpected(failed_ == EISDIR ? std::string("is no regular file")
                                             : fmt::format("can't be read: {}", std::strerror(failed_)));
  }
  if (std::exchange(from_end_, false)) begin_before_end(start_from_end_);
  if (!holds_what_was_read(fd_)) truncated();
  if (buffer_.empty()) buffer_.resize(chunk);
  std::size_t total = 0;
  while (total < most_at_once) {
    const ssize_t size = ::pread(fd_, buffer_.data(), buffer_.size(), offset_);
    if (size < 0) return std::unexpected(fmt::format("can't be read: {}", std::strerror(errno)));
    if (size == 0) break;
    offset_ += size;
    total += static_cast<std::size_t>(size);
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
    remember_end(bytes);
    feed(bytes, take);
  }
  if (total >= most_at_once) return true;
  if (total > 0) {
    quiet_reads_ = 0;
  } else if (may_leave()) {
    close();
    return true;
  }
  return false;
}

}  // namespace flipback::access_log
