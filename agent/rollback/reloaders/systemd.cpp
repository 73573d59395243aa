#include "flipback/quoted.hpp"

#include "agent/process/run.hpp"
#include "agent/rollback/command_result.hpp"
#include "agent/rollback/nginx.hpp"

#include <fmt/format.h>

namespace flipback::rollback {

namespace {

/// `systemctl reload UNIT`, which waits for the unit's ExecReload.
class systemd_reloader final : public reloader {
 public:
  systemd_reloader(asio::any_io_executor executor, const config::nginx& settings)
      : executor_(std::move(executor)), unit_(settings.unit), limit_(settings.command_timeout) {}

  asio::awaitable<done> reload() override {
    std::vector<std::string> argv{"systemctl", "reload", "--", unit_};
    const ran came_to = co_await process::run(executor_, std::move(argv), limit_);
    co_return reload_result(came_to, fmt::format("systemctl reload {}", unit_));
  }

  asio::awaitable<std::string> obstacle() override {
    std::vector<std::string> argv{"systemctl", "show", "--property=LoadState,CanReload", "--", unit_};
    const ran came_to = co_await process::run(executor_, std::move(argv), limit_);
    if (const done asked = reload_result(came_to, fmt::format("systemctl show {}", unit_)); asked.is != answer::yes)
      co_return fmt::format("systemd can't be asked for {}: {}; set [nginx] reload = \"signal\" or \"command\"", unit_, asked.says);
    if (!has_line(came_to->output, "LoadState=loaded"))
      co_return fmt::format("systemd has no loaded unit {} ({}): set [nginx] unit to nginx's, as systemctl list-units names it", unit_,
                            flipback::quoted(came_to->output, {}, 80));
    if (has_line(came_to->output, "CanReload=no"))
      co_return fmt::format("systemd's unit {} has no ExecReload, so that it can't be reloaded: set [nginx] reload = \"signal\"", unit_);
    co_return std::string();
  }

 private:
  static bool has_line(std::string_view output, std::string_view line) {
    for (std::size_t at = 0; at < output.size(); at = std::min(output.find('\n', at), output.size() - 1) + 1) {
      if (output.substr(at, output.find('\n', at) - at) == line) return true;
    }
    return false;
  }

  asio::any_io_executor executor_;
  std::string unit_;
  duration limit_;
};

}  // namespace

std::unique_ptr<reloader> make_systemd_reloader(asio::any_io_executor executor, const config::nginx& settings) {
  return std::make_unique<systemd_reloader>(std::move(executor), settings);
}

}  // namespace flipback::rollback
