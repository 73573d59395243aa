#pragma once

#include "agent/config/configuration.hpp"
#include "agent/generation.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace flipback::test {

/// An agent that was never started: it has a probe and a rule, and nothing to act on, so that nothing that it is asked changes anything.
struct agent_at_rest {
  explicit agent_at_rest(const std::string& also = "") {
    const std::string configured = also + std::string(probe_and_rule);
    const int fd = ::memfd_create("configuration", MFD_CLOEXEC);
    need(fd >= 0 && ::write(fd, configured.data(), configured.size()) == static_cast<ssize_t>(configured.size()));
    settings::diagnostics problems;
    auto read = config::load("/proc/self/fd/" + std::to_string(fd), {}, problems);
    ::close(fd);
    need(problems.clean());
    of.emplace(loop, std::move(read), nullptr, [](const event&) { std::abort(); }, problems);
    need(problems.clean() && of->deployed() == nullptr);
  }

  /// What becomes of it, where it waits for nothing.
  template <class Answer>
  Answer now(asio::awaitable<Answer> asked) {
    std::optional<Answer> made;
    asio::co_spawn(
        loop,
        [](asio::awaitable<Answer> wanted, std::optional<Answer>& into) -> asio::awaitable<void> { into = co_await std::move(wanted); }(
                                                                            std::move(asked), made),
        asio::detached);
    loop.restart();
    loop.poll();
    need(made.has_value());
    return *std::move(made);
  }

  asio::io_context loop{1};
  std::optional<generation> of;

 private:
  static constexpr std::string_view probe_and_rule = R"(
[probes.api]
type = "tcp"
address = "127.0.0.1:9"
[[rules]]
name = "down"
when = "api.up == 0"
for = "1m"
then = "alert"
)";
  static void need(bool condition) {
    if (!condition) std::abort();
  }
};

}  // namespace flipback::test
