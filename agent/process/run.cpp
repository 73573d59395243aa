#include "agent/process/run.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>

namespace flipback::process {

namespace asio = boost::asio;

namespace {

constexpr duration patience = std::chrono::seconds(1);  // between TERM and KILL
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

struct child {
  pid_t pid = -1;
  int output = -1;
};

std::expected<child, std::string> start(const std::vector<std::string>& argv) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(fmt::format("can't make a pipe: {}", std::strerror(errno)));
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDERR_FILENO);
  // Asio's sockets are not closed by exec: a child that outlives us would keep our port, and the next start could not have it.
  ::posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const std::string& a : argv) arguments.push_back(const_cast<char*>(a.c_str()));
  arguments.push_back(nullptr);
  child made;
  const int error = ::posix_spawnp(&made.pid, arguments[0], &files, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    return std::unexpected(fmt::format("can't start {}: {}", argv[0], std::strerror(error)));
  }
  made.output = ends[0];
  return made;
}

/// Takes what is there; beyond the bound it is thrown away. False at the end of the output.
bool drain(asio::posix::stream_descriptor& output, std::string& into, std::size_t most) {
  std::array<char, 4096> part{};
  boost::system::error_code error;
  for (;;) {
    const std::size_t size = output.read_some(asio::buffer(part), error);
    if (error || size == 0) return error == asio::error::would_block;
    into.append(part.data(), std::min(size, most - std::min(most, into.size())));
  }
}

}  // namespace

asio::awaitable<std::expected<finished, std::string>> run(asio::any_io_executor executor, std::vector<std::string> argv, duration limit,
                                                          std::size_t most_output) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto started = start(argv);
  if (!started) co_return std::unexpected(std::move(started.error()));
  asio::posix::stream_descriptor output(executor, started->output);
  output.non_blocking(true);
  asio::posix::stream_descriptor end(executor, static_cast<int>(::syscall(SYS_pidfd_open, started->pid, 0)));
  // A full pipe would stop the child, so its output is taken while it runs.
  const auto took = std::make_shared<finished>();
  std::function<void()> take = [&output, &take, took, most_output] {
    output.async_wait(asio::posix::stream_descriptor::wait_read,
                      [&output, &take, took, most_output](const boost::system::error_code& error) {
                        if (error) return;
                        if (drain(output, took->output, most_output)) take();
                      });
  };
  take();
  asio::steady_timer deadline(executor, limit);
  int ended_by = SIGTERM;
  std::function<void()> watch = [&] {
    deadline.async_wait([&](const boost::system::error_code& error) {
      if (error) return;
      took->timed_out = true;
      ::kill(-started->pid, ended_by);
      if (std::exchange(ended_by, SIGKILL) == SIGKILL) return;
      deadline.expires_after(patience);
      watch();
    });
  };
  watch();
  co_await end.async_wait(asio::posix::stream_descriptor::wait_read, as_value);
  if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
    // Nobody wants its result any more, but it is not left behind.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    took->timed_out = true;
    ::kill(-started->pid, SIGKILL);
    co_await end.async_wait(asio::posix::stream_descriptor::wait_read, as_value);
  }
  deadline.cancel();
  drain(output, took->output, most_output);
  output.close();
  int status = 0;
  ::waitpid(started->pid, &status, 0);
  took->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  // The handlers just cancelled still refer to this frame: let them run out.
  co_await asio::post(executor, asio::use_awaitable);
  co_return std::move(*took);
}

}  // namespace flipback::process
