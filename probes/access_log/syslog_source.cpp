#include "probes/access_log/source.hpp"
#include "probes/access_log/syslog_socket.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <fstream>
#include <utility>

namespace flipback::access_log {

namespace {

constexpr duration before_trying_again = std::chrono::seconds(1);
constexpr std::size_t look_at = 256 * 1024;  // bytes of lines; fewer wait for the next run, whichever generation's it is
constexpr int short_queue = 100;

/// How many datagrams the kernel keeps for a Unix socket before senders are refused, whatever SO_RCVBUF says (unix(7), sysctl).
int kernel_queue() {
  int length = 0;
  std::ifstream("/proc/sys/net/unix/max_dgram_qlen") >> length;
  return length;
}

class syslog_source final : public source {
 public:
  syslog_source(asio::any_io_executor executor, std::string path, socket_access access)
      : executor_(std::move(executor)),
        path_(std::move(path)),
        access_(std::move(access)),
        socket_(syslog_socket::bound_at(path_)),
        told_(socket_ ? socket_->spoilt() : 0) {}

  bool go_back(std::uint64_t, double) override { return false; }

  std::expected<bool, trouble> read(const take_line& take) override {
    if (socket_ && followed_) {
      socket_->receive();
      socket_->read(take);
      if (!socket_->is_at_path()) socket_->close();  // wakes follow(), which binds anew
    }
    if (!problem_.empty()) return std::unexpected(trouble{reason::no_prerequisite, fmt::format("{} {}", path_, problem_)});
    return false;
  }

  asio::awaitable<void> follow(std::function<void()> look) override {
    asio::steady_timer pause(executor_);
    for (;;) {
      if (take_socket()) {
        co_await receive(look);
      } else {
        pause.expires_after(before_trying_again);
        co_await pause.async_wait(asio::use_awaitable);
      }
    }
  }

  [[nodiscard]] std::optional<observation> glance() const override {
    if (!syslog_socket::is_served(path_))
      return observation::fail(reason::no_prerequisite,
                               fmt::format("{} is not served: its lines are seen by a running agent alone", path_));
    return observation::pass(fmt::format("{} is served; its lines go to whoever serves it", path_));
  }

  std::uint64_t take_spoilt() override {
    const std::uint64_t all = socket_ ? socket_->spoilt() : told_;
    return all - std::exchange(told_, all);
  }

  [[nodiscard]] std::string note() const override {
    const int length = kernel_queue();
    if (length <= 0 || length >= short_queue) return {};
    return fmt::format("the kernel keeps only {} messages for us (net.unix.max_dgram_qlen): nginx drops what a burst has more", length);
  }

 private:
  bool take_socket() {
    if (!socket_) socket_ = syslog_socket::bound_at(path_);
    if (!socket_) {
      auto bound = syslog_socket::bind(executor_, path_);
      if (!bound) {
        problem_ = std::move(bound.error());
        return false;
      }
      socket_ = std::move(*bound);
      told_ = 0;
    } else if (socket_->followed) {
      socket_.reset();
      problem_ = "is another probe's already";
      return false;
    }
    problem_ = socket_->give(access_);
    return true;
  }

  /// Takes messages as they come, at once, since the kernel keeps few; until the socket is closed.
  asio::awaitable<void> receive(const std::function<void()>& look) {
    const std::shared_ptr<syslog_socket> of = socket_;
    const following now(*this);
    boost::system::error_code ended;
    while (!ended) {
      of->receive();
      if (of->waiting() > look_at) look();
      co_await of->arrival(ended);
    }
    if (of->is_open()) throw boost::system::system_error(ended);  // cancelled: the socket is the next generation's
    socket_.reset();
  }

  /// Marks the socket as read by this probe, as long as it lives.
  struct following {
    explicit following(syslog_source& who) : by(who), of(who.socket_) {
      of->followed = true;
      by.followed_ = true;
    }
    ~following() {
      of->followed = false;
      by.followed_ = false;
    }
    following(const following&) = delete;
    following& operator=(const following&) = delete;
    syslog_source& by;
    std::shared_ptr<syslog_socket> of;
  };

  asio::any_io_executor executor_;
  std::string path_;
  socket_access access_;
  std::shared_ptr<syslog_socket> socket_;
  bool followed_ = false;
  std::string problem_;
  std::uint64_t told_;
};

}  // namespace

std::unique_ptr<source> make_syslog_source(asio::any_io_executor executor, std::string path, socket_access access) {
  return std::make_unique<syslog_source>(std::move(executor), std::move(path), std::move(access));
}

}  // namespace flipback::access_log
