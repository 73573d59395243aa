#include "flipback/quoted.hpp"

#include "agent/process/run.hpp"
#include "agent/rollback/command_result.hpp"
#include "agent/rollback/master_process.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace flipback::rollback {

namespace {

constexpr std::size_t longest_number = 64;  // with whatever white space stands beside it

/// The number that the text is, but for white space around it.
std::optional<pid_t> number_in(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return std::nullopt;
  text = text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  return error == std::errc{} && end == text.data() + text.size() && pid > 0 ? std::optional(pid) : std::nullopt;
}

class pid_file final : public master_finder {
 public:
  pid_file(std::string path, std::string binary) : path_(std::move(path)), binary_(std::move(binary)) {}

  std::expected<pid_t, std::string> find() override {
    const auto text = read();
    if (!text) return std::unexpected(text.error());
    const auto pid = number_in(*text);
    if (!pid)
      return std::unexpected(
          fmt::format("{} holds no process number (nginx -t makes an empty one where nginx does not run): start nginx, or "
                      "set [nginx] pid to the path that its configuration gives",
                      path_));
    if (const auto found = is_master(*pid, binary_, false); !found)
      return std::unexpected(fmt::format("{} is stale or not nginx's: {}; start nginx, or set [nginx] pid and binary to what it runs with",
                                         path_, found.error()));
    return *pid;
  }

  asio::awaitable<void> refresh() override { co_return; }

 private:
  [[nodiscard]] std::expected<std::string, std::string> read() const {
    const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
      return std::unexpected(fmt::format("{} can't be read: {}; start nginx, or set [nginx] pid to the path that its configuration gives",
                                         path_, std::strerror(errno)));
    struct stat is{};
    std::array<char, longest_number> text{};
    const bool regular = ::fstat(fd, &is) == 0 && S_ISREG(is.st_mode);
    const ssize_t size = regular ? ::read(fd, text.data(), text.size()) : -1;
    ::close(fd);
    if (size < 0) return std::unexpected(fmt::format("{} is no regular file, expected nginx's pid file: set [nginx] pid", path_));
    return std::string(text.data(), static_cast<std::size_t>(size));
  }

  std::string path_;
  std::string binary_;
};

class pid_command final : public master_finder {
 public:
  pid_command(asio::any_io_executor executor, const config::nginx& settings)
      : executor_(std::move(executor)), argv_(settings.pid_command), binary_(settings.binary), limit_(settings.command_timeout) {}

  std::expected<pid_t, std::string> find() override {
    if (!printed_) return std::unexpected(said_);
    if (const auto found = is_master(*printed_, binary_, true); !found)
      return std::unexpected(fmt::format("pid_command ({}) printed {}: {}", argv_.front(), *printed_, found.error()));
    return *printed_;
  }

  asio::awaitable<void> refresh() override {
    std::vector<std::string> argv = argv_;
    const ran came_to = co_await process::run(executor_, std::move(argv), limit_);
    printed_.reset();
    if (const done ended = reload_result(came_to, argv_.front()); ended.is != answer::yes) {
      said_ = fmt::format("pid_command says nothing of nginx's master: {}", ended.says);
      co_return;
    }
    printed_ = number_in(came_to->output);
    if (!printed_)
      said_ = fmt::format("pid_command ({}) printed {}, expected a process number", argv_.front(), in_quotes(came_to->output, {}, 60));
  }

 private:
  asio::any_io_executor executor_;
  std::vector<std::string> argv_;
  std::string binary_;
  duration limit_;
  std::optional<pid_t> printed_;
  std::string said_ = "pid_command was not asked yet for nginx's master";
};

}  // namespace

std::unique_ptr<master_finder> make_master_finder(asio::any_io_executor executor, const config::nginx& settings) {
  if (!settings.pid_command.empty()) return std::make_unique<pid_command>(std::move(executor), settings);
  return std::make_unique<pid_file>(settings.pid, settings.binary);
}

}  // namespace flipback::rollback
