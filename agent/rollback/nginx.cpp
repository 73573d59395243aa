#include "agent/rollback/nginx.hpp"

#include "flipback/as_typed.hpp"

#include "agent/process/run.hpp"
#include "agent/rollback/command_result.hpp"
#include "agent/rollback/container_mount.hpp"
#include "agent/rollback/error_log.hpp"
#include "agent/rollback/helper.hpp"
#include "agent/rollback/master_process.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <ctime>

namespace flipback::rollback {

namespace {

constexpr const char* usual_error_log = "/var/log/nginx/error.log";  // as Debian builds it
constexpr std::size_t longest_dump = 8 * 1024 * 1024;
constexpr duration corrections = std::chrono::seconds(1);     // of the wall clock, in a time in which nobody watched it
constexpr duration rounding = std::chrono::milliseconds(30);  // of file systems' clocks and of /proc's, in steps of up to 10 ms

std::unique_ptr<reloader> reloader_for(const asio::any_io_executor& executor, const config::nginx& settings, master_finder& finder) {
  if (!settings.helper.empty()) return make_helper_reloader(executor, settings, finder);
  switch (settings.reload) {
    case config::reload_kind::systemd:
      return make_systemd_reloader(executor, settings);
    case config::reload_kind::command:
      return make_command_reloader(executor, settings);
    case config::reload_kind::docker:
    case config::reload_kind::signal:
      break;
  }
  return make_signal_reloader(finder);
}

/// Tells whether the wall clock was corrected: a file's time was taken from it once, a worker's is reckoned by it now. It is as watchful as
/// it is asked often.
class watched_clock {
 public:
  bool is_steady_since(wall_time then) {
    const auto booted = booted_now();
    if (booted && (!booted_ || std::chrono::abs(*booted - *booted_) > rounding / 2)) {
      booted_ = booted;
      steady_since_ = std::chrono::system_clock::now();
    }
    return booted_ && then > steady_since_;
  }

 private:
  static duration since_boot() {
    timespec boot{};
    ::clock_gettime(CLOCK_BOOTTIME, &boot);
    return std::chrono::seconds(boot.tv_sec) + std::chrono::nanoseconds(boot.tv_nsec);
  }

  /// When the machine was booted, by the wall clock as it is now. Two clocks are not read in one instant: nothing where we were kept from
  /// it for too long.
  static std::optional<wall_time> booted_now() {
    constexpr int tries = 5;
    for (int i = 0; i < tries; ++i) {
      const duration before = since_boot();
      const wall_time now = std::chrono::system_clock::now();
      if (since_boot() - before < rounding / 8) return now - std::chrono::duration_cast<wall_time::duration>(before);
    }
    return std::nullopt;
  }

  std::optional<wall_time> booted_;
  wall_time steady_since_;
};

class local_nginx final : public nginx {
 public:
  local_nginx(asio::any_io_executor executor, config::nginx settings)
      : executor_(std::move(executor)),
        settings_(std::move(settings)),
        error_log_(settings_.error_log.empty() ? usual_error_log : settings_.error_log),
        finder_(make_master_finder(executor_, settings_)),
        reloader_(reloader_for(executor_, settings_, *finder_)) {}

  asio::awaitable<done> test() override {
    if (!settings_.helper.empty()) co_return co_await tested_by_helper(executor_, settings_);
    co_await finder_->refresh();
    if (const std::string why = why_not_to_test(settings_); !why.empty()) co_return done{answer::cant_tell, why};
    const ran came_to = co_await process::run(executor_, command("-t"), settings_.command_timeout);
    co_return test_result(came_to, settings_.test_command.empty() ? "nginx -t" : settings_.test_command.front(), ::geteuid() == 0);
  }

  asio::awaitable<done> reload() override { return reloader_->reload(); }

  asio::awaitable<std::optional<std::string>> configuration() override {
    std::vector<std::string> argv = command("-T");
    if (!why_not_to_test(settings_).empty() || std::ranges::find(argv, "-T") == argv.end()) co_return std::nullopt;
    ran came_to = co_await process::run(executor_, std::move(argv), settings_.command_timeout, longest_dump);
    if (!came_to || came_to->timed_out || came_to->status != 0) co_return std::nullopt;
    co_return std::move(came_to->output);
  }

  asio::awaitable<void> refresh() override { co_return; }

  std::expected<pid_t, std::string> master() override { return finder_->find(); }

  std::optional<std::string> mounted_alone(const std::string& path) override {
    const auto found = master();
    return found ? mounted_alone_at(*found, path) : std::nullopt;
  }

  std::optional<workers> see_workers() override {
    const auto found = master();
    return found ? workers_of(*found) : std::nullopt;
  }

  std::optional<bool> workers_since(wall_time changed) override {
    const duration doubt = clock_.is_steady_since(changed) ? rounding : corrections;
    const auto seen = see_workers();
    if (!seen || seen->accepting.empty()) return std::nullopt;
    bool all_after = true;
    for (const pid_t pid : seen->accepting) {
      const auto started = started_at(pid);
      if (started && *started < changed - doubt) return false;
      all_after = all_after && started && *started > changed + doubt;
    }
    return all_after ? std::optional(true) : std::nullopt;
  }

  void mark_errors() override {
    errors_.mark(error_log_);
    const auto found = master();
    marked_ = found ? children_of(*found) : std::nullopt;
  }

  std::string emerg_since_mark() override {
    const auto found = master();
    if (!found) return {};
    std::string line = errors_.emerg_since_mark(pid_of_its_own(*found));
    if (line.empty() || !marked_ || at_rest(*found) != true) return {};
    const auto children = children_of(*found);
    if (!children) return {};
    const bool any_new = std::ranges::any_of(*children, [&](pid_t pid) { return !marked_->contains(pid); });
    return any_new ? std::string() : line;
  }

  void logs_errors_to(const std::string& path) override {
    if (settings_.error_log.empty() && !path.empty()) error_log_ = path;
  }

  asio::awaitable<std::vector<std::string>> obstacles() override {
    std::vector<std::string> found;
    if (std::string one = co_await reloader_->obstacle(); !one.empty()) found.push_back(std::move(one));
    // The signal's obstacle has said of the pid file what there is to say.
    const bool told = !found.empty() && settings_.reload == config::reload_kind::signal && !why_not_to_test(settings_).empty();
    const done tested = told ? done{answer::yes, {}} : co_await test();
    if (std::string one = obstacle_by(tested, command("-t")); !one.empty()) found.push_back(std::move(one));
    co_return found;
  }

 private:
  [[nodiscard]] std::vector<std::string> command(std::string action) const { return nginx_command(settings_, {std::move(action)}); }

  asio::any_io_executor executor_;
  config::nginx settings_;
  std::string error_log_;
  std::unique_ptr<master_finder> finder_;
  std::unique_ptr<reloader> reloader_;
  watched_clock clock_;
  error_log errors_;
  std::optional<std::set<pid_t>> marked_;  ///< the master's children at the mark
};

}  // namespace

std::unique_ptr<nginx> make_nginx(asio::any_io_executor executor, config::nginx settings) {
  if (settings.reload == config::reload_kind::docker) return make_docker_nginx(std::move(executor), std::move(settings));
  return std::make_unique<local_nginx>(std::move(executor), std::move(settings));
}

}  // namespace flipback::rollback
