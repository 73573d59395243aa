#include "agent/privileged/nginx_test.hpp"

#include "flipback/descriptor.hpp"

#include "agent/process/child.hpp"
#include "agent/rollback/command_result.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace flipback::privileged {

namespace {

/// Takes what is there to be read. False: nothing more will come.
bool take(int pipe, std::string& into) {
  std::array<char, 4096> part{};
  const ssize_t size = ::read(pipe, part.data(), part.size());
  if (size > 0) into.append(part.data(), std::min(static_cast<std::size_t>(size), process::usual_output - into.size()));
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

rollback::ran ran_within(const std::vector<std::string>& argv, duration limit) {
  auto started = process::start(argv, process::outputs::together);
  if (!started) return std::unexpected(std::move(started.error()));
  const descriptor end(started->end);
  const descriptor output(started->output);
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
  process::finished came_to;
  const instant last = std::chrono::steady_clock::now() + limit;
  for (bool open = true, ended = false; !ended;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(last - std::chrono::steady_clock::now());
    came_to.timed_out = left.count() <= 0;
    if (came_to.timed_out) break;
    std::array<pollfd, 2> ready{pollfd{end.get(), POLLIN, 0}, pollfd{open ? output.get() : -1, POLLIN, 0}};
    ::poll(ready.data(), ready.size(), static_cast<int>(left.count()));
    if (ready[1].revents != 0) open = take(output.get(), came_to.output);
    ended = ready[0].revents != 0 && ready[1].revents == 0;
  }
  ::kill(-started->pid, SIGKILL);  // the whole group: nothing that it started stays
  int status = 0;
  ::waitpid(started->pid, &status, 0);
  came_to.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return came_to;
}

}  // namespace

rollback::done test_of(const config::nginx& settings) {
  if (std::string why = rollback::why_not_to_test(settings); !why.empty()) return {rollback::answer::cant_tell, std::move(why)};
  return rollback::test_result(ran_within(rollback::nginx_command(settings, {"-t"}), settings.command_timeout), "nginx -t", true);
}

}  // namespace flipback::privileged
