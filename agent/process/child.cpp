#include "agent/process/child.hpp"

#include <boost/asio/buffer.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace flipback::process {

namespace asio = boost::asio;

namespace {

void close_all(const std::vector<int>& fds) {
  for (const int fd : fds) {
    if (fd >= 0) ::close(fd);
  }
}

int spawn(pid_t& pid, const std::vector<std::string>& argv, int output, int errors) {
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
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
  const int error = ::posix_spawnp(&pid, arguments[0], &files, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace

bool can_be_started(const std::string& program) {
  if (program.contains('/')) return ::access(program.c_str(), X_OK) == 0;
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access(fmt::format("{}/{}", folder.empty() ? "." : folder, program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::expected<child, std::string> start(const std::vector<std::string>& argv, outputs kept) {
  if (argv.empty()) return std::unexpected("can't start a program without a name");
  std::array<int, 2> output{-1, -1};
  std::array<int, 2> errors{-1, -1};
  // Held for the pidfd: a child that can't be watched must not have been started.
  const int place = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const auto no_more = [&](std::string_view what) {
    auto problem = std::unexpected(fmt::format("can't {}: {}", what, std::strerror(errno)));
    close_all({place, output[0], output[1], errors[0], errors[1]});
    return problem;
  };
  if (place < 0) return no_more("open /dev/null");
  if (::pipe2(output.data(), O_CLOEXEC) != 0) return no_more("make a pipe");
  if (kept == outputs::apart && ::pipe2(errors.data(), O_CLOEXEC) != 0) return no_more("make a pipe");
  child made{.pid = -1, .end = -1, .output = output[0], .errors = errors[0]};
  errno = spawn(made.pid, argv, output[1], kept == outputs::apart ? errors[1] : output[1]);
  if (errno != 0) return no_more(fmt::format("start {}", argv[0]));
  ::close(place);
  made.end = static_cast<int>(::syscall(SYS_pidfd_open, made.pid, 0));
  close_all({output[1], errors[1]});
  if (made.end >= 0) return made;
  auto problem = std::unexpected(fmt::format("can't watch {}: {}", argv[0], std::strerror(errno)));
  ::kill(-made.pid, SIGKILL);
  ::waitpid(made.pid, nullptr, 0);
  close_all({output[0], errors[0]});
  return problem;
}

outlet::outlet(const asio::any_io_executor& executor, int pipe, std::size_t most) : pipe_(executor, pipe), most_(most) {
  pipe_.non_blocking(true);
}

void outlet::read() {
  pipe_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && self->pipe_.is_open() && self->take_what_is_there()) self->read();
  });
}

void outlet::finish() {
  if (pipe_.is_open()) take_what_is_there();
  close();
}

void outlet::close() {
  boost::system::error_code ignored;
  pipe_.close(ignored);
}

/// False at the end of the output.
bool outlet::take_what_is_there() {
  std::array<char, 4096> part{};
  boost::system::error_code error;
  // A child that writes without pause must not hold us here: what is left brings us back.
  for (int parts = 0; parts < 64; ++parts) {
    const std::size_t size = pipe_.read_some(asio::buffer(part), error);
    if (error || size == 0) return error == asio::error::would_block;
    taken.append(part.data(), std::min(size, most_ - std::min(most_, taken.size())));
  }
  return true;
}

}  // namespace flipback::process
