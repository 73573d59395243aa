#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

/// What the tests of the acting part stand on: a folder, a port, and a real nginx that ends with its object.
namespace testing {

inline constexpr const char* nginx_binary = "/usr/sbin/nginx";

struct folder {
  std::filesystem::path path;
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "flipback-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder() {
    std::error_code none;
    std::filesystem::remove_all(path, none);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return (path / name).string(); }
};

inline void write(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Whether it came to be true within 10 s.
inline bool comes_true(const std::function<bool()>& what) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!what()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// A port that nobody listens on, below the range from which the kernel takes ports for clients.
inline int free_port() {
  static std::mt19937 random(std::random_device{}());
  for (;;) {
    const int port = 20000 + static_cast<int>(random() % 12000);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool free = ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    ::close(fd);
    if (free) return port;
  }
}

/// Sends the bytes to a port of this host and gives what comes back until the other side closes.
inline std::string converse(int port, const std::string& sent) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string got;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) {
    (void)::send(fd, sent.data(), sent.size(), MSG_NOSIGNAL);
    char part[4096];
    for (ssize_t size = 0; (size = ::recv(fd, part, sizeof part, 0)) > 0;) got.append(part, static_cast<std::size_t>(size));
  }
  ::close(fd);
  return got;
}

inline std::string get(int port, const std::string& target, const std::string& more_headers = "") {
  return converse(port, fmt::format("GET {} HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n{}\r\n", target, more_headers));
}

/// A child that ends with its object.
class child {
 public:
  explicit child(const std::vector<std::string>& argv) {
    std::vector<char*> arguments;
    for (const std::string& a : argv) arguments.push_back(const_cast<char*>(a.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    const int error = ::posix_spawnp(&pid_, arguments[0], &files, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&files);
    REQUIRE(error == 0);
  }
  ~child() { end(SIGTERM); }
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void end(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    int status = 0;
    if (!comes_true([&] { return ::waitpid(pid_, &status, WNOHANG) != 0; })) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status, 0);
    }
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
};

/// An nginx with a folder of its own. `http` stands within its http block.
class running_nginx {
 public:
  explicit running_nginx(const std::string& http, const std::string& binary = nginx_binary) : binary_(binary) {
    configure(http);
    start();
  }

  void configure(const std::string& http, const std::string& main = "") const {
    std::string text =
        fmt::format("daemon off; worker_processes 1; pid {0}/nginx.pid; error_log {0}/error.log; {1}\n", in.path.string(), main);
    if (::geteuid() == 0) text += "user root;\n";
    text += "events { }\nhttp {\n";
    for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
      text += fmt::format("  {}_temp_path {}/{};\n", kind, in.path.string(), kind);
    write(conf(), text + http + "\n}\n");
  }
  void start() {
    process_.emplace(std::vector<std::string>{binary_, "-p", in.path.string(), "-c", conf()});
    REQUIRE(comes_true([&] { return !contents(pid_file()).empty(); }));
    REQUIRE(comes_true([&] { return has_worker(); }));
  }
  void stop() { process_.reset(); }

  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  [[nodiscard]] std::string conf() const { return in / "nginx.conf"; }
  [[nodiscard]] std::string pid_file() const { return in / "nginx.pid"; }
  [[nodiscard]] std::string error_log() const { return in / "error.log"; }

  folder in;

 private:
  /// A worker has its master's title until it gives itself another.
  [[nodiscard]] bool has_worker() const {
    std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", pid()));
    pid_t worker = 0;
    return children >> worker && contents(fmt::format("/proc/{}/cmdline", worker)).starts_with("nginx: worker");
  }

  std::string binary_;
  std::optional<child> process_;
};

/// Runs one operation to its end on a loop of its own.
template <typename T>
T finished(boost::asio::io_context& loop, boost::asio::awaitable<T> operation) {
  std::optional<T> value;
  boost::asio::co_spawn(loop, std::move(operation), [&](const std::exception_ptr& thrown, T got) {
    if (thrown) std::rethrow_exception(thrown);
    value = std::move(got);
  });
  loop.restart();
  loop.run();
  return std::move(*value);
}

}  // namespace testing
