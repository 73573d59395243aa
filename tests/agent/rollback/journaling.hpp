#pragma once

#include "agent/rollback/journal.hpp"
#include "tests/folder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <expected>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

/// A journal in a folder of its own, on a disk that does what a test tells it.
namespace flipback::test {

namespace asio = boost::asio;
using namespace flipback::rollback;

using result = std::expected<void, std::string>;

struct journal_folder : folder {
  [[nodiscard]] std::string file() const { return path("rollback.journal"); }
  [[nodiscard]] std::string bytes() const { return text("rollback.journal"); }
  void write(const std::string& bytes) const { folder::write("rollback.journal", bytes); }
  [[nodiscard]] std::vector<fs::path> aside() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(at)) {
      if (entry.path().string().contains(".unreadable-")) found.push_back(entry.path());
    }
    return found;
  }
};

/// A disk that does what it is told, and remembers how often it was asked.
class faulty_disk final : public disk {
 public:
  int write_at(int fd, std::string_view bytes, off_t at) override {
    ++writes;
    hang();
    if (torn_after) {
      real_->write_at(fd, bytes.substr(0, *torn_after), at);
      return EIO;
    }
    if (full_from && static_cast<std::size_t>(at) + bytes.size() > *full_from) return ENOSPC;
    return write_error != 0 ? write_error.load() : real_->write_at(fd, bytes, at);
  }
  int sync(int fd) override {
    ++syncs;
    return sync_error != 0 ? sync_error.load() : real_->sync(fd);
  }
  int allocate(int fd, off_t bytes) override { return allocate_error != 0 ? allocate_error.load() : real_->allocate(fd, bytes); }

  void hang(bool is) {
    const std::scoped_lock alone(mutex_);
    hangs_ = is;
    changed_.notify_all();
  }

  std::atomic<int> writes = 0;
  std::atomic<int> syncs = 0;
  std::atomic<int> write_error = 0;
  std::atomic<int> sync_error = 0;
  std::atomic<int> allocate_error = 0;
  std::optional<std::size_t> torn_after;
  std::optional<std::size_t> full_from;

 private:
  void hang() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !hangs_; });
  }
  std::shared_ptr<disk> real_ = make_disk();
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hangs_ = false;
};

inline result done(asio::awaitable<result> doing) {
  asio::io_context loop(1);
  result came = std::unexpected("did not end");
  asio::co_spawn(loop, std::move(doing), [&](const std::exception_ptr&, result r) { came = std::move(r); });
  loop.run();
  return came;
}

inline row first(std::string id, std::size_t bytes = 100) {
  row made;
  made.of.id = std::move(id);
  made.of.from = {"green", "2"};
  made.of.to = {"blue", "1"};
  made.of.changes = {
      file_change{"/etc/live", {file_image::kind::regular, std::string(bytes, '\xfe')}, {file_image::kind::regular, "after"}}};
  return made;
}

inline row next(std::uint64_t number, row::kind kind = row::kind::tested, std::string says = "so") {
  row made;
  made.number = number;
  made.is = kind;
  made.says = std::move(says);
  return made;
}

inline std::vector<row> read(const std::string& file) {
  journal j(file, make_disk());
  auto found = j.read();
  REQUIRE_MESSAGE(found.has_value(), found.error());
  return std::move(*found);
}

inline std::string trouble_of(const std::string& file) {
  journal j(file, make_disk());
  const auto found = j.read();
  return found ? "" : found.error();
}

/// Writes such an attempt with rows up to this number.
inline void begin(const std::string& file, const std::string& id, std::uint64_t last, std::size_t bytes = 100) {
  journal j(file, make_disk());
  REQUIRE(j.read().has_value());
  REQUIRE(done(j.write(first(id, bytes))));
  for (std::uint64_t n = 1; n <= last; ++n) REQUIRE(done(j.write(next(n))));
}

}  // namespace flipback::test
