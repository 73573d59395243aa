#include "agent/rollback/nginx.hpp"

#include <fmt/format.h>

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace flipback::rollback {

namespace {

/// HUP to nginx's master, through a descriptor: between looking and signalling, the number might come to mean another process.
class signal_reloader final : public reloader {
 public:
  explicit signal_reloader(master_finder& of) : of_(&of) {}

  asio::awaitable<done> reload() override {
    co_await of_->refresh();
    const std::string failed = send(SIGHUP);
    co_return failed.empty() ? done{answer::yes, {}} : done{answer::cant_tell, failed};
  }

  asio::awaitable<std::string> obstacle() override {
    co_await of_->refresh();
    co_return send(0);
  }

 private:
  /// "" where it was sent; signal 0 only tries.
  std::string send(int signal) {
    const auto found = of_->find();
    if (!found) return found.error();
    const int fd = static_cast<int>(::syscall(SYS_pidfd_open, *found, 0));
    if (fd < 0) return fmt::format("nginx's master {} has ended just now: start nginx", *found);
    // What is found to be the master now is what the descriptor leads to, or that has ended, and the signal reaches nobody.
    const auto again = of_->find();
    const bool same = again && *again == *found;
    const bool sent = same && ::syscall(SYS_pidfd_send_signal, fd, signal, nullptr, 0) == 0;
    const int error = same ? errno : ESRCH;
    ::close(fd);
    if (sent) return {};
    if (error == EPERM)
      return fmt::format("this user may not signal nginx's master {}: run as root or with CAP_KILL, or set [nginx] reload = \"systemd\"",
                         *found);
    return fmt::format("can't signal nginx's master {}: {}; start nginx", *found, std::strerror(error));
  }

  master_finder* of_;
};

}  // namespace

std::unique_ptr<reloader> make_signal_reloader(master_finder& of) {
  return std::make_unique<signal_reloader>(of);
}

}  // namespace flipback::rollback
