#include "probes/access_log/tail.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace flipback::access_log {

namespace {

constexpr std::size_t chunk = 64 * 1024;
using std::chrono::seconds;

constexpr duration untouched_when_left = seconds(1);  // a renamed file: nginx's workers reopen one after the other
constexpr duration left_at_latest = seconds(5);       // a worker that never reopens is not to hide the others
constexpr int looks_while_files_are_renamed = 3;

int open_to_read(const std::string& path) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/// What an errno says of the log, or of ourselves: who may not read it knows nothing of the traffic.
trouble trouble_of(int error) {
  const auto unreadable = [&](reason why) { return trouble{why, fmt::format("can't be read: {}", std::strerror(error))}; };
  switch (error) {
    case ENOENT:
      return {reason::absent, "does not exist"};
    case EISDIR:
      return {reason::absent, "is no regular file"};
    case EACCES:
    case EPERM:
      return unreadable(reason::no_prerequisite);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return unreadable(reason::own_limits);
    default:
      return unreadable(reason::absent);
  }
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
  replaced_ = {};
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
  return adopt(open_to_read(path));
}

bool tail::adopt(int file) {
  close();
  fd_ = file;
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
      replaced_ = std::chrono::steady_clock::now() - left_at_latest;  // nobody writes to a copy
      return;
    }
    ::close(copy);
  }
  offset_ = 0;
  end_size_ = 0;
  partial_.clear();
  skipping_ = false;
}

/// Where a log that was renamed goes on: in the first that was renamed after it, or in the one that has its name now, once something is in
/// it: before, nginx may not have reopened. Nothing where it was not renamed.
std::optional<std::string> tail::next() const {
  struct stat named{};
  const bool exists = ::stat(path_.c_str(), &named) == 0;
  if (!exists || same_file(named, opened_)) return std::nullopt;
  std::optional<std::string> found;
  if (named.st_size > 0) found = path_;
  for (const rotated& r : rotated_of(path_)) {
    if (same_file(r.is, opened_) || written_at(r.is) <= written_at(opened_)) break;
    const int other = open_to_read(r.path);
    const bool is_copy = other >= 0 && end_size_ > 0 && holds_what_was_read(other);
    if (other >= 0) ::close(other);
    if (!is_copy) found = r.path;
  }
  return found;
}

/// Leaves a file that was read to its end for the next, where there is one and nobody writes to this one any more.
bool tail::go_on() {
  const auto following = ::fstat(fd_, &opened_) == 0 ? next() : std::nullopt;
  if (!following) return false;
  const instant now = std::chrono::steady_clock::now();
  if (replaced_ == instant{}) replaced_ = now;
  const bool untouched = std::chrono::system_clock::now() - written_at(opened_) >= untouched_when_left;
  const int file = untouched || now - replaced_ >= left_at_latest ? open_to_read(*following) : -1;
  return file >= 0 && adopt(file);
}

std::expected<bool, trouble> tail::read(const take_line& take) {
  if (fd_ < 0 && !open(path_)) {
    if (failed_ == ENOENT) from_end_ = false;  // what appears later is new from its first byte
    return std::unexpected(trouble_of(failed_));
  }
  if (std::exchange(from_end_, false)) begin_before_end(start_from_end_);
  if (!holds_what_was_read(fd_)) truncated();
  if (buffer_.empty()) buffer_.resize(chunk);
  std::size_t total = 0;
  while (total < most_at_once) {
    const ssize_t size = ::pread(fd_, buffer_.data(), buffer_.size(), offset_);
    if (size < 0) return std::unexpected(trouble_of(errno));
    if (size == 0) break;
    offset_ += size;
    total += static_cast<std::size_t>(size);
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
    remember_end(bytes);
    feed(bytes, take);
  }
  return total >= most_at_once || go_on();
}

}  // namespace flipback::access_log
