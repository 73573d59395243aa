#include "agent/rollback/journal_file.hpp"

#include "agent/rollback/beside.hpp"
#include "agent/store/set_aside.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace flipback::rollback {

namespace {

constexpr std::size_t largest_file = 512 * 1024 * 1024;  ///< bytes

}  // namespace

journal_file::journal_file(std::string path, std::shared_ptr<disk> on) : path_(std::move(path)), disk_(std::move(on)) {}

journal_file::~journal_file() {
  let_go();
}

void journal_file::let_go() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  loaded_ = false;
  head_ = {};
  next_ = 0;
  end_ = frames::first_frame;
}

std::unexpected<journal_file::trouble> journal_file::refused(std::string_view doing, int error) const {
  return std::unexpected(
      trouble{trouble::kind::not_now, fmt::format("the rollback's journal {} can't be {}: {}", path_, doing, std::strerror(error))});
}

std::unexpected<journal_file::trouble> journal_file::damaged(std::string_view how) const {
  return std::unexpected(trouble{trouble::kind::damaged,
                                 fmt::format("the rollback's journal {} {}: whether a rollback was under way can't be told", path_, how)});
}

bool journal_file::moved() const {
  struct stat ours{};
  struct stat there{};
  return ::fstat(fd_, &ours) != 0 || ::stat(path_.c_str(), &there) != 0 || ours.st_ino != there.st_ino || ours.st_dev != there.st_dev;
}

std::expected<std::string, journal_file::trouble> journal_file::contents() {
  struct stat is{};
  if (::fstat(fd_, &is) != 0) return refused("read", errno);
  if (!S_ISREG(is.st_mode)) return damaged("is no regular file");
  if (static_cast<std::size_t>(is.st_size) > largest_file) return damaged("is larger than any that is written");
  std::string bytes(static_cast<std::size_t>(is.st_size), '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::pread(fd_, bytes.data() + have, bytes.size() - have, static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused("read", errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

journal_file::done journal_file::load(std::vector<row>& rows) {
  let_go();
  std::error_code unmade;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), unmade);
  fd_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd_ < 0 && errno == ENOENT && std::filesystem::is_directory(std::filesystem::absolute(path_).parent_path(), unmade)) {
    // Where a new one could not be made after a damaged one was put aside.
    const std::string aside = newest_aside(path_);
    if (!aside.empty()) return damaged(fmt::format("could not be read and is kept as {}", aside));
    loaded_ = true;
    return {};
  }
  if (fd_ < 0) return refused("opened", errno);
  const auto bytes = contents();
  if (!bytes) return std::unexpected(bytes.error());
  const auto head = frames::head_in(*bytes);
  if (!head) {
    // Room that was made, and no more: a crash came before the first head.
    if (std::ranges::all_of(*bytes, [](char c) { return c == '\0'; })) {
      loaded_ = true;
      return {};
    }
    return damaged("is damaged: it does not begin as one");
  }
  if (head->version > frames::version) {
    return damaged(fmt::format("was written by a newer flipback, in its form {} (this one, {}, reads {})", head->version, FLIPBACK_VERSION,
                               frames::version));
  }
  const std::uint64_t open = head->closed_through + 1;
  std::size_t at = frames::first_frame;
  for (;;) {
    const auto found = frames::frame_at(*bytes, at);
    if (!found || found->attempt != open || found->number != rows.size()) break;
    auto read = row_from(found->text);
    if (!read) return damaged(fmt::format("can't be understood ({})", read.error()));
    if (read->number != found->number || (read->is == row::kind::begun) != rows.empty()) return damaged("has its rows out of order");
    rows.push_back(std::move(*read));
    at += frames::size_of(found->text.size());
  }
  if (frames::any_from(*bytes, at, open)) return damaged(fmt::format("is damaged after its row {}", rows.size()));
  head_ = *head;
  next_ = rows.size();
  end_ = at;
  loaded_ = true;
  return {};
}

std::expected<std::vector<row>, journal_file::trouble> journal_file::read() {
  std::vector<row> rows;
  if (auto done = load(rows); !done) {
    let_go();
    return std::unexpected(std::move(done.error()));
  }
  return rows;
}

journal_file::done journal_file::write(std::string_view bytes, std::size_t at) {
  if (const int error = disk_->write_at(fd_, bytes, static_cast<off_t>(at)); error != 0) return refused("written", error);
  if (const int error = disk_->sync(fd_); error != 0) return refused("synced", error);
  return {};
}

/// Sees to it that what the file says is known.
journal_file::done journal_file::opened() {
  if (loaded_ && (fd_ < 0 || !moved())) return {};
  const auto rows = read();
  if (!rows) return std::unexpected(rows.error());
  return {};
}

/// Sees to it that there is a file with a head.
journal_file::done journal_file::make() {
  if (fd_ < 0) fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (fd_ < 0) return refused("made", errno);
  if (::fchmod(fd_, 0600) != 0) return refused("made private", errno);
  if (head_.turn > 0) return {};
  const frames::head first{1, 0};
  if (auto done = write(to_bytes(first), place_of(first)); !done) return done;
  if (const int error = sync_folder_of(path_); error != 0) return refused("made", error);
  head_ = first;
  return {};
}

journal_file::done journal_file::append(const row& what) {
  const bool begins = what.number == 0;
  auto ready = begins || !loaded_ ? opened() : done();
  if (!ready && begins && ready.error().is == trouble::kind::damaged) {
    struct stat there{};
    const bool is_there = ::lstat(path_.c_str(), &there) == 0;
    if (const auto aside = set_aside(path_, {}); !aside && is_there) {
      return std::unexpected(
          trouble{trouble::kind::not_now, fmt::format("{}, and it can't be kept beside: {}", ready.error().says, aside.error())});
    }
    let_go();
    loaded_ = true;
    ready = {};
  }
  if (!ready) return ready;
  if (what.number != next_ || (what.is == row::kind::begun) != begins) {
    return std::unexpected(trouble{trouble::kind::misuse, fmt::format("row {} ({}) of the rollback's journal does not follow: {} is next",
                                                                      what.number, name_of(what.is), next_)});
  }
  const std::string text = to_text(what);
  if (text.size() > frames::largest) return std::unexpected(trouble{trouble::kind::misuse, "a row of the rollback's journal is too large"});
  if (auto made = make(); !made) return made;
  if (auto written = write(to_bytes(frames::frame{head_.closed_through + 1, what.number, text}), end_); !written) return written;
  ++next_;
  end_ += frames::size_of(text.size());
  return {};
}

journal_file::done journal_file::close() {
  if (!loaded_) {
    if (auto ready = opened(); !ready) return ready;
  }
  if (fd_ < 0) return {};
  if (auto made = make(); !made) return made;
  const frames::head next{head_.turn + 1, head_.closed_through + 1};
  if (auto written = write(to_bytes(next), place_of(next)); !written) return written;
  head_ = next;
  next_ = 0;
  end_ = frames::first_frame;
  return {};
}

journal_file::done journal_file::reserve(std::size_t bytes) {
  if (auto ready = opened(); !ready) return ready;
  if (auto made = make(); !made) return made;
  if (const int error = disk_->allocate(fd_, static_cast<off_t>(bytes)); error != 0) return refused("given its room", error);
  if (const int error = disk_->sync(fd_); error != 0) return refused("synced", error);
  return {};
}

}  // namespace flipback::rollback
