#include "agent/record/record_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace flipback {

namespace {

std::unexpected<std::string> failed(std::string_view what) {
  return std::unexpected(fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace

rules::replay::record_reader reader_of(file_window& of) {
  return {of.size(), [&of](std::size_t at, std::size_t bytes) { return of.piece(at, bytes); }};
}

record_file::record_file(std::string path, std::uint64_t most_bytes, duration longest)
    : path_(std::move(path)), most_(most_bytes / 2), longest_(longest / 2) {}

record_file::~record_file() {
  close();
}

void record_file::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool record_file::is_full(std::size_t more) const {
  return size_ + more > most_ || std::chrono::system_clock::now() - since_ > longest_;
}

std::expected<void, std::string> record_file::append(std::string_view bytes, const std::function<std::string()>& head) {
  if (fd_ >= 0 && is_full(bytes.size())) {
    close();
    if (::rename(path_.c_str(), older(path_).c_str()) != 0) return failed("the full file can't be renamed");
  }
  if (fd_ < 0) {
    if (auto opened = open(head()); !opened) {
      close();  // what follows could not be read without a head
      return opened;
    }
  }
  return write(bytes);
}

/// Goes on in a file that is there.
std::expected<void, std::string> record_file::open(const std::string& head) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  struct stat found{};
  if (fd_ < 0 || ::fstat(fd_, &found) != 0) return failed("it can't be opened");
  size_ = static_cast<std::uint64_t>(found.st_size);
  since_ = std::chrono::system_clock::now();
  if (size_ > 0) {
    if (auto mended = cut_torn_end(); !mended) return mended;
  }
  return write((size_ == 0 ? std::string(rules::replay::magic) : std::string()) + head);
}

/// A killed writer's last frame: what follows could not be read behind it.
std::expected<void, std::string> record_file::cut_torn_end() {
  auto there = file_window::of(path_);
  if (!there) return std::unexpected(fmt::format("it {}", there.error()));
  auto reader = reader_of(*there);
  for (auto more = reader.skip(); !more || *more; more = reader.skip()) {
    if (!more) return std::unexpected(fmt::format("at byte {}: {}; it is left alone", more.error().at, more.error().says));
  }
  if (reader.torn() == 0) return {};
  size_ -= reader.torn();
  if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) return failed("its torn end can't be cut off");
  return {};
}

std::expected<void, std::string> record_file::write(std::string_view bytes) {
  const std::uint64_t before = size_;
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      auto why = failed("it can't be written");
      if (::ftruncate(fd_, static_cast<off_t>(before)) != 0) close();  // half a frame would hide what follows
      size_ = before;
      return why;
    }
    size_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace flipback
