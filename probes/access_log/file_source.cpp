#include "probes/access_log/source.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sys/inotify.h>

#include <array>
#include <deque>
#include <filesystem>
#include <utility>

namespace flipback::access_log {

namespace {

constexpr duration settle = std::chrono::milliseconds(100);  // lines come in flocks: one look for all of them

class file_source final : public source {
 public:
  file_source(asio::any_io_executor executor, std::vector<std::string> paths) : executor_(std::move(executor)), paths_(std::move(paths)) {
    for (const std::string& path : paths_) tails_.emplace_back(path);
  }

  bool go_back(std::uint64_t bytes, double since) override {
    for (tail& each : tails_) each.start_in_the_past(bytes / tails_.size(), since);
    return true;
  }

  std::expected<bool, trouble> read(const take_line& take) override {
    bool more = false;
    absent_.clear();
    for (std::size_t i = 0; i < tails_.size(); ++i) {
      auto read = tails_[i].read(take);
      if (!read) {
        read.error().says = fmt::format("{} {}", paths_[i], read.error().says);
        const bool last_hope = absent_.size() + 1 == tails_.size();
        if (read.error().why != reason::absent || last_hope) return read;
        absent_.push_back(std::move(read.error().says));
      }
      more = more || read.value_or(false);
    }
    return more;
  }

  asio::awaitable<void> follow(std::function<void()> look) override {
    const int instance = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (instance < 0) co_return;  // no more instances: the look once a second is all there is, and enough to be right
    asio::posix::stream_descriptor changes(executor_, instance);
    changes.non_blocking(true);
    for (const std::string& path : paths_) {
      const std::string folder = std::filesystem::path(path).parent_path().string();
      ::inotify_add_watch(changes.native_handle(), folder.empty() ? "." : folder.c_str(),
                          IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
    }
    asio::steady_timer pause(executor_);
    for (;;) {
      co_await changes.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
      std::array<char, 4096> unread{};
      boost::system::error_code none_left;
      while (changes.read_some(asio::buffer(unread), none_left) > 0 && !none_left) {
      }
      look();
      pause.expires_after(settle);
      co_await pause.async_wait(asio::use_awaitable);
    }
  }

  std::uint64_t take_spoilt() override {
    std::uint64_t all = 0;
    for (const tail& each : tails_) all += each.skipped();
    return all - std::exchange(told_, all);
  }

  [[nodiscard]] std::string note() const override { return fmt::format("{}", fmt::join(absent_, "; ")); }

 private:
  asio::any_io_executor executor_;
  std::vector<std::string> paths_;
  std::deque<tail> tails_;
  std::vector<std::string> absent_;  ///< sentences
  std::uint64_t told_ = 0;
};

}  // namespace

std::unique_ptr<source> make_file_source(asio::any_io_executor executor, std::vector<std::string> paths) {
  return std::make_unique<file_source>(std::move(executor), std::move(paths));
}

}  // namespace flipback::access_log
