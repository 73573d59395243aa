#include "agent/process/run.hpp"
#include "agent/rollback/command_result.hpp"
#include "agent/rollback/nginx.hpp"

#include <fmt/format.h>

namespace flipback::rollback {

namespace {

class command_reloader final : public reloader {
 public:
  command_reloader(asio::any_io_executor executor, const config::nginx& settings)
      : executor_(std::move(executor)), argv_(settings.reload_command), limit_(settings.command_timeout) {}

  asio::awaitable<done> reload() override {
    if (argv_.empty()) co_return done{answer::cant_tell, "[nginx] reload_command is empty"};
    std::vector<std::string> argv = argv_;
    const ran came_to = co_await process::run(executor_, std::move(argv), limit_);
    co_return reload_result(came_to, argv_.front());
  }

  asio::awaitable<std::string> obstacle() override {
    if (argv_.empty()) co_return "[nginx] reload_command is empty, expected the command that makes nginx reload";
    if (process::can_be_started(argv_.front())) co_return std::string();
    co_return fmt::format("{} of [nginx] reload_command can't be found or not be executed: install it, or set reload_command",
                          argv_.front());
  }

 private:
  asio::any_io_executor executor_;
  std::vector<std::string> argv_;
  duration limit_;
};

}  // namespace

std::unique_ptr<reloader> make_command_reloader(asio::any_io_executor executor, const config::nginx& settings) {
  return std::make_unique<command_reloader>(std::move(executor), settings);
}

}  // namespace flipback::rollback
