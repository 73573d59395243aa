#include "agent/rollback/master_process.hpp"

#include <doctest/doctest.h>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <set>
#include <string>
#include <thread>

using namespace flipback::rollback;

namespace {

/// A child that calls itself so, until it is let go.
class called {
 public:
  explicit called(std::string title) {
    std::string seconds = "60";
    char* argv[] = {title.data(), seconds.data(), nullptr};
    char* environment[] = {nullptr};
    REQUIRE(::posix_spawn(&pid, "/bin/sleep", nullptr, nullptr, argv, environment) == 0);
  }
  called(const called&) = delete;
  called& operator=(const called&) = delete;
  ~called() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  pid_t pid = 0;
};

}  // namespace

TEST_CASE("a_worker_that_is_shutting_down_accepts_nothing_any_more") {
  const called accepts("nginx: worker process");
  const called leaves("nginx: worker process is shutting down");
  const called caches("nginx: cache manager process");
  std::optional<workers> seen;
  for (int tries = 0; tries < 200; ++tries) {
    seen = workers_of(::getpid());
    if (seen && seen->accepting.contains(accepts.pid) && (seen->leaving.contains(leaves.pid) || seen->accepting.contains(leaves.pid)))
      break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  REQUIRE(seen);
  CHECK(seen->accepting == std::set<pid_t>{accepts.pid});
  CHECK(seen->leaving == std::set<pid_t>{leaves.pid});
}
