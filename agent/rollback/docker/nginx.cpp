#include "agent/rollback/nginx.hpp"

#include "flipback/as_typed.hpp"

#include "agent/rollback/command_result.hpp"
#include "agent/rollback/container_mount.hpp"
#include "agent/rollback/docker/engine.hpp"
#include "agent/rollback/master_process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace flipback::rollback {

namespace {

constexpr std::size_t longest_frames = 12 * 1024 * 1024;            // of `nginx -T`
constexpr duration looks_within = std::chrono::milliseconds(1500);  // a look that takes longer is worth no more than none

/// Whether `nginx -s` found no pid file with its master's number, and so sent nothing: it is another one than the configuration says where
/// nginx was started with a `pid` of its own (-g).
bool found_no_master(const ran& came_to) {
  if (!came_to || came_to->timed_out || came_to->status != 1) return false;
  const std::string& says = came_to->output;
  return says.contains("[error] invalid PID number") || (says.contains("[error] open() \"") && says.contains(".pid\" failed"));
}

/// nginx in a container of its own. Its processes are seen by the Engine's eyes, so that its workers are known wherever we are; when they
/// were started, and what of the error log is the master's own, are not.
class docker_nginx final : public nginx {
 public:
  docker_nginx(asio::any_io_executor executor, config::nginx settings)
      : settings_(std::move(settings)), engine_(std::move(executor), settings_) {}

  asio::awaitable<done> test() override {
    const instant until = limit();
    const auto found = co_await engine_.find(until);
    if (!found) co_return done{answer::cant_tell, found.error()};
    const ran came_to = co_await engine_.run(found->container, nginx_command(settings_, {"-t"}), until, process::usual_output);
    // It runs as whom nginx runs: what is refused to it, nginx would be refused, too.
    co_return test_result(came_to, fmt::format("nginx -t in container {}", settings_.container), true);
  }

  asio::awaitable<done> reload() override {
    const instant until = limit();
    const auto found = co_await engine_.find(until);
    if (!found) co_return done{answer::cant_tell, found.error()};
    // Not by the Engine's signal, where that can be: to Docker, whoever got one was stopped by a person, and may stay so when the host
    // comes up again.
    const ran came_to = co_await engine_.run(found->container, nginx_command(settings_, {"-s", "reload"}), until, process::usual_output);
    done asked = reload_result(came_to, fmt::format("nginx -s reload in container {}", settings_.container));
    if (found_no_master(came_to)) {
      const auto sent = co_await engine_.hang_up(found->container, until);
      asked = sent ? done{answer::yes, {}} : done{answer::cant_tell, fmt::format("{}; {}", asked.says, sent.error())};
    }
    if (asked.is != answer::yes) co_return asked;
    // Between looking and asking, the container may have been started anew: then another nginx was asked, or none.
    const auto after = co_await engine_.look(until);
    if (!after) co_return done{answer::cant_tell, after.error()};
    if (after->container.pid == found->container.pid) co_return asked;
    co_return done{answer::cant_tell,
                   fmt::format("container {0} was started anew meanwhile (process {1}, before {2}): type `docker logs {0}`",
                               settings_.container, after->container.pid, found->container.pid)};
  }

  asio::awaitable<std::optional<std::string>> configuration() override {
    const instant until = limit();
    const auto found = co_await engine_.look(until);
    if (!found) co_return std::nullopt;
    ran came_to = co_await engine_.run(found->container, nginx_command(settings_, {"-T"}), until, longest_frames);
    if (!came_to || came_to->timed_out || came_to->status != 0) co_return std::nullopt;
    co_return std::move(came_to->output);
  }

  asio::awaitable<void> refresh() override { seen_ = co_await engine_.look(std::chrono::steady_clock::now() + looks_within); }

  /// The Engine's number for it is ours only where we see its host's processes.
  std::expected<pid_t, std::string> master() override {
    if (!seen_) return std::unexpected(seen_.error());
    const pid_t pid = seen_->container.pid;
    if (const auto is = is_master(pid, settings_.binary, true); !is) return std::unexpected(is.error());
    return pid;
  }

  /// Where we see its mounts, by its mounts; and what is mounted at the file's very path, which both containers have, is the file alone.
  std::optional<std::string> mounted_alone(const std::string& path) override {
    if (const auto found = master()) return mounted_alone_at(*found, path);
    return seen_ && std::ranges::find(seen_->container.mounts, path) != seen_->container.mounts.end() ? std::optional(path) : std::nullopt;
  }

  std::optional<workers> see_workers() override { return seen_ ? std::optional(seen_->seen) : std::nullopt; }
  std::optional<bool> workers_since(wall_time /*changed*/) override { return std::nullopt; }
  void mark_errors() override {}
  std::string emerg_since_mark() override { return {}; }
  void logs_errors_to(const std::string& /*path*/) override {}

  asio::awaitable<std::vector<std::string>> obstacles() override {
    co_await refresh();
    const done tested = co_await test();
    std::vector<std::string> found;
    std::vector<std::string> typed{"docker", "exec", settings_.container};
    std::ranges::copy(nginx_command(settings_, {"-t"}), std::back_inserter(typed));
    if (std::string one = obstacle_by(tested, typed); !one.empty()) found.push_back(std::move(one));
    co_return found;
  }

 private:
  [[nodiscard]] instant limit() const { return std::chrono::steady_clock::now() + settings_.command_timeout; }

  config::nginx settings_;
  docker::engine engine_;
  std::expected<docker::engine::found, std::string> seen_ = std::unexpected("the Docker Engine was not asked yet");
};

}  // namespace

std::unique_ptr<nginx> make_docker_nginx(asio::any_io_executor executor, config::nginx settings) {
  return std::make_unique<docker_nginx>(std::move(executor), std::move(settings));
}

}  // namespace flipback::rollback
