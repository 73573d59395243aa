#include "agent/process/child.hpp"

#include "flipback/descriptor.hpp"

#include <boost/asio/buffer.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sstream>

namespace flipback::process {

namespace asio = boost::asio;

namespace {

/// What a child may know of our environment: where programs and homes are, in which language and which zone of time, which Docker or
/// cluster is meant. The rest may hold secrets.
std::vector<std::string> small_environment() {
  constexpr std::array names{"PATH",
                             "HOME",
                             "USER",
                             "LOGNAME",
                             "LANG",
                             "LC_ALL",
                             "LC_CTYPE",
                             "TZ",
                             "TMPDIR",
                             "DOCKER_HOST",
                             "DOCKER_CONFIG",
                             "DOCKER_CONTEXT",
                             "DOCKER_CERT_PATH",
                             "DOCKER_TLS_VERIFY",
                             "KUBECONFIG",
                             "XDG_RUNTIME_DIR",
                             "DBUS_SESSION_BUS_ADDRESS"};
  std::vector<std::string> made;
  for (const char* const name : names) {
    if (const char* const value = std::getenv(name)) made.push_back(fmt::format("{}={}", name, value));
  }
  if (std::getenv("PATH") == nullptr) made.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  return made;
}

/// What exec takes; it points into the texts.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> made;
  made.reserve(texts.size() + 1);
  for (const std::string& text : texts) made.push_back(const_cast<char*>(text.c_str()));
  made.push_back(nullptr);
  return made;
}

/// Which descriptors of ours are a child's first three. Input: -1 for none.
struct ends {
  int input = -1;
  int output = -1;
  int errors = -1;
};

int spawn(pid_t& pid, const std::vector<std::string>& argv, const ends& given) {
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  if (given.input < 0)
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  else
    ::posix_spawn_file_actions_adddup2(&files, given.input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, given.output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, given.errors, STDERR_FILENO);
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
  const std::vector<char*> arguments = pointers_to(argv);
  const std::vector<std::string> environment = small_environment();
  const int error = ::posix_spawnp(&pid, arguments[0], &files, &attributes, arguments.data(), pointers_to(environment).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  return error;
}

std::unexpected<std::string> cant(std::string_view what) {
  return std::unexpected(fmt::format("can't {}: {}", what, std::strerror(errno)));
}

struct pipe_ends {
  descriptor read;
  descriptor written;
};

/// Nothing, with errno: there is none.
std::optional<pipe_ends> make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return pipe_ends{descriptor(ends[0]), descriptor(ends[1])};
}

/// A file in memory that says this, at its beginning: unlike a pipe it holds all of it, however long the child takes to read. Nothing, with
/// errno: there is none.
std::optional<descriptor> make_input(std::string_view text) {
  descriptor memory(::memfd_create("flipback-input", MFD_CLOEXEC));
  if (!memory.is_open()) return std::nullopt;
  while (!text.empty()) {
    const ssize_t size = ::write(memory.get(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  if (::lseek(memory.get(), 0, SEEK_SET) != 0) return std::nullopt;
  return memory;
}

/// Nothing of ours but its end is open in what it gives.
std::expected<child, std::string> start_into(const std::vector<std::string>& argv, const ends& given) {
  if (argv.empty()) return std::unexpected("can't start a program without a name");
  // Held for the pidfd: a child that can't be watched must not have been started.
  descriptor place(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!place.is_open()) return cant("open /dev/null");
  child made;
  errno = spawn(made.pid, argv, given);
  if (errno != 0) return cant(fmt::format("start {}", argv[0]));
  place = descriptor();
  made.end = static_cast<int>(::syscall(SYS_pidfd_open, made.pid, 0));
  if (made.end >= 0) return made;
  auto problem = cant(fmt::format("watch {}", argv[0]));
  ::kill(-made.pid, SIGKILL);
  ::waitpid(made.pid, nullptr, 0);
  return problem;
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

std::expected<child, std::string> start(const std::vector<std::string>& argv, outputs kept, std::string_view input) {
  std::optional<descriptor> read;
  if (!input.empty() && !(read = make_input(input))) return cant("keep its input");
  auto output = make_pipe();
  if (!output) return cant("make a pipe");
  std::optional<pipe_ends> errors;
  if (kept == outputs::apart && !(errors = make_pipe())) return cant("make a pipe");
  const int one = output->written.get();
  auto made = start_into(argv, {read ? read->get() : -1, one, errors ? errors->written.get() : one});
  if (!made) return made;
  made->output = output->read.release();
  if (errors) made->errors = errors->read.release();
  return made;
}

std::expected<child, std::string> start(const std::vector<std::string>& argv, int into) {
  return start_into(argv, {-1, into, into});
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
