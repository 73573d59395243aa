#include "probes/access_log/source.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/inotify.h>

#include <array>
#include <filesystem>
#include <utility>

namespace flipback::access_log {

namespace {

constexpr duration settle = std::chrono::milliseconds(100);  // lines come in flocks: one look for all of them

class file_source final : public source {
 public:
  file_source(asio::any_io_executor executor, std::string path) : executor_(std::move(executor)), path_(path), tail_(std::move(path)) {}

  bool go_back(std::uint64_t bytes, double since) override {
    tail_.start_in_the_past(bytes, since);
    return true;
  }

  std::expected<bool, trouble> read(const take_line& take) override { return tail_.read(take); }

  asio::awaitable<void> follow(std::function<void()> look) override {
    asio::posix::stream_descriptor changes(executor_, ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    changes.non_blocking(true);
    const std::string folder = std::filesystem::path(path_).parent_path().string();
    // Without inotify (no more instances) the look once a second is all there is; that is enough to be right.
    ::inotify_add_watch(changes.native_handle(), folder.empty() ? "." : folder.c_str(),
                        IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
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

  std::uint64_t take_spoilt() override { return tail_.skipped() - std::exchange(told_, tail_.skipped()); }

 private:
  asio::any_io_executor executor_;
  std::string path_;
  tail tail_;
  std::uint64_t told_ = 0;
};

}  // namespace

std::unique_ptr<source> make_file_source(asio::any_io_executor executor, std::string path) {
  return std::make_unique<file_source>(std::move(executor), std::move(path));
}

}  // namespace flipback::access_log
