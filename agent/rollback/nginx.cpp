#include "agent/rollback/nginx.hpp"

#include "agent/process/run.hpp"
#include "agent/rollback/error_log_line.hpp"

#include <fmt/format.h>

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace flipback::rollback {

namespace asio = boost::asio;

namespace {

// As Debian builds it.
constexpr const char* usual_prefix = "/usr/share/nginx";
constexpr const char* usual_error_log = "/var/log/nginx/error.log";

/// What the file holds; empty where it can't be read. A process that ends while its file in /proc is read makes the read fail: a stream's
/// buffer, asked directly, would throw then.
std::string contents_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return std::move(all).str();
}

/// nginx writes its role where its arguments were: "nginx: worker process is shutting down".
std::string title_of(pid_t pid) {
  const std::string arguments = contents_of(fmt::format("/proc/{}/cmdline", pid));
  return arguments.substr(0, arguments.find('\0'));
}

std::string last_lines(const std::string& text) {
  constexpr std::size_t most = 400;
  std::string shortened = text.size() > most ? "…" + text.substr(text.size() - most) : text;
  while (shortened.ends_with('\n')) shortened.pop_back();
  return shortened;
}

std::expected<void, std::string> judged(const std::expected<process::finished, std::string>& done, std::string_view what) {
  if (!done) return std::unexpected(done.error());
  if (done->timed_out) return std::unexpected(fmt::format("{} did not end in time", what));
  if (done->status != 0) return std::unexpected(fmt::format("{} exited {}: {}", what, done->status, last_lines(done->output)));
  return {};
}

}  // namespace

nginx::nginx(config::nginx settings, asio::any_io_executor executor)
    : settings_(std::move(settings)),
      error_log_(settings_.error_log.empty() ? usual_error_log : settings_.error_log),
      executor_(std::move(executor)) {}

std::vector<std::string> nginx::command(std::string_view action) const {
  std::vector<std::string> argv{settings_.binary, std::string(action)};
  if (!settings_.prefix.empty()) argv.insert(argv.end(), {"-p", settings_.prefix});
  argv.insert(argv.end(), {"-c", settings_.conf});
  if (!settings_.error_log.empty()) argv.insert(argv.end(), {"-e", settings_.error_log});
  return argv;
}

asio::awaitable<std::expected<void, std::string>> nginx::test() const {
  const auto done = co_await process::run(executor_, command("-t"), settings_.command_timeout);
  co_return judged(done, "nginx -t");
}

std::expected<pid_t, std::string> nginx::master() const {
  std::string text = contents_of(settings_.pid);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc{} || end != text.data() + text.size() || pid <= 1) {
    return std::unexpected(fmt::format("{} holds no process number: is nginx running?", settings_.pid));
  }
  const std::string title = title_of(pid);
  if (!title.starts_with("nginx: master process")) {
    return std::unexpected(fmt::format("process {} of {} is no nginx master", pid, settings_.pid));
  }
  return pid;
}

asio::awaitable<std::expected<void, std::string>> nginx::reload() const {
  if (settings_.reload == "command") {
    const auto done = co_await process::run(executor_, settings_.reload_command, settings_.command_timeout);
    co_return judged(done, settings_.reload_command.front());
  }
  // Through a descriptor: between looking and signalling, the number might come to mean another process.
  const auto found = master();
  if (!found) co_return std::unexpected(found.error());
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, *found, 0));
  const auto again = master();
  if (fd < 0 || !again || *again != *found) {
    if (fd >= 0) ::close(fd);
    co_return std::unexpected(std::string("nginx's master has ended just now"));
  }
  const long sent = ::syscall(SYS_pidfd_send_signal, fd, SIGHUP, nullptr, 0);
  const int error = errno;
  ::close(fd);
  if (sent != 0) co_return std::unexpected(fmt::format("can't signal nginx's master {}: {}", *found, std::strerror(error)));
  co_return std::expected<void, std::string>{};
}

asio::awaitable<std::expected<nginx_configuration, std::string>> nginx::configured() const {
  constexpr std::size_t longest_dump = 8 * 1024 * 1024;
  const auto done = co_await process::run(executor_, command("-T"), settings_.command_timeout, longest_dump);
  if (const auto good = judged(done, "nginx -T"); !good) co_return std::unexpected(good.error());
  co_return configuration_in(done->output, settings_.prefix.empty() ? usual_prefix : settings_.prefix);
}

void nginx::logs_errors_to(const std::string& path) {
  if (settings_.error_log.empty() && !path.empty()) error_log_ = path;
}

std::optional<workers> nginx::see_workers() const {
  const auto parent = master();
  if (!parent) return std::nullopt;
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", *parent));
  if (!children) return std::nullopt;
  workers seen;
  pid_t pid = 0;
  while (children >> pid) {
    const std::string title = title_of(pid);
    if (title.starts_with("nginx: worker process is shutting down"))
      seen.leaving.insert(pid);
    else if (title.starts_with("nginx: worker process"))
      seen.accepting.insert(pid);
  }
  return seen;
}

std::uint64_t nginx::error_log_mark() const {
  std::error_code error;
  const auto size = std::filesystem::file_size(error_log_, error);
  return error ? 0 : size;
}

std::optional<std::string> nginx::emerg_since(std::uint64_t mark) const {
  const auto from = master();
  std::ifstream in(error_log_, std::ios::binary);
  if (!from || !in.seekg(static_cast<std::streamoff>(mark))) return std::nullopt;
  std::string line;
  while (std::getline(in, line)) {
    const auto read = read_error_log_line(line);
    if (read && read->level == "emerg" && read->pid == *from) return line;
  }
  return std::nullopt;
}

}  // namespace flipback::rollback
