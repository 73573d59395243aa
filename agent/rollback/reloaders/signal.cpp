#include "agent/rollback/nginx.hpp"

#include <fmt/format.h>

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace flipback::rollback {

namespace {

class signal_reloader final : public reloader {
 public:
  explicit signal_reloader(master_finder& of) : of_(&of) {}

  asio::awaitable<done> reload() override {
    co_await of_->refresh();
    const std::string failed = signal_master(*of_, SIGHUP);
    co_return failed.empty() ? done{answer::yes, {}} : done{answer::cant_tell, failed};
  }

  asio::awaitable<std::string> obstacle() override {
    co_await of_->refresh();
    co_return signal_master(*of_, 0);
  }

 private:
  master_finder* of_;
};

}  // namespace

std::string signal_master(master_finder& of, int signal) {
  const auto found = of.find();
  if (!found) return found.error();
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, *found, 0));
  if (fd < 0) return fmt::format("nginx's master {} has ended just now: start nginx", *found);
  // What is found to be the master now is what the descriptor leads to, or that has ended, and the signal reaches nobody.
  const auto again = of.find();
  const bool same = again && *again == *found;
  const bool sent = same && ::syscall(SYS_pidfd_send_signal, fd, signal, nullptr, 0) == 0;
  const int error = same ? errno : ESRCH;
  ::close(fd);
  if (sent) return {};
  if (error == EPERM)
    return fmt::format(
        "this user may not signal nginx's master {}: run as root or with CAP_KILL, or set [nginx] reload = \"systemd\" or helper", *found);
  return fmt::format("can't signal nginx's master {}: {}; start nginx", *found, std::strerror(error));
}

std::unique_ptr<reloader> make_signal_reloader(master_finder& of) {
  return std::make_unique<signal_reloader>(of);
}

}  // namespace flipback::rollback
