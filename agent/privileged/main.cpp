// flipback-helper: what needs root's rights for an agent that has none, and nothing else. Started by systemd with a listening socket.

#include "agent/privileged/serve.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace {

constexpr int first_passed = 3;  // SD_LISTEN_FDS_START
constexpr int idle = 60 * 1000;  // milliseconds without a peer; the next one starts it anew
constexpr int wrong_use = 2;

bool says(const char* variable, long value) {
  const char* const text = std::getenv(variable);
  return text != nullptr && text == fmt::format("{}", value);
}

}  // namespace

int main(int count, char** words) {
  flipback::privileged::terms by;
  if (count > 1) by.settings = words[1];
  if (count > 2) by.state = words[2];
  if (count > 3 || !says("LISTEN_FDS", 1) || !says("LISTEN_PID", ::getpid())) {
    fmt::print(stderr,
               "flipback-helper [SETTINGS [STATE]] is started by systemd with one socket: systemctl enable --now flipback-helper.socket\n");
    return wrong_use;
  }
  ::umask(0022);
  ::fcntl(first_passed, F_SETFD, FD_CLOEXEC);
  for (;;) {
    pollfd listening{.fd = first_passed, .events = POLLIN, .revents = 0};
    if (::poll(&listening, 1, idle) == 0) {
      flipback::privileged::tidy_up(by);
      return 0;
    }
    flipback::descriptor peer(::accept4(first_passed, nullptr, nullptr, SOCK_CLOEXEC));
    if (peer.is_open()) flipback::privileged::serve(std::move(peer), by);
  }
}
