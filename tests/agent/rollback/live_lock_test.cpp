#include "agent/rollback/beside.hpp"
#include "agent/rollback/file_image.hpp"
#include "tests/agent/rollback/files.hpp"

#include <doctest/doctest.h>

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <functional>
#include <optional>
#include <utility>

using namespace flipback::rollback;
namespace fs = std::filesystem;
using flipback::test::folder;
using flipback::test::has;

namespace {

/// Called right before the next lock, once.
std::function<void()> before_the_next_lock;

}  // namespace

/// Takes the place of the C library's in this program, and does the same.
extern "C" int flock(int fd, int how) noexcept {
  if (before_the_next_lock) std::exchange(before_the_next_lock, {})();
  return static_cast<int>(::syscall(SYS_flock, fd, how));
}

TEST_CASE("one_at_a_time_even_within_one_process") {
  const folder f;
  const std::string live = f.write("live", "x");
  auto first = std::optional(live_lock::take(live));
  REQUIRE(first->has_value());
  const auto second = live_lock::take(live);
  REQUIRE_FALSE(second.has_value());
  CHECK(has(second.error().says, "another agent acts on " + live));
  live_lock moved = std::move(**first);
  first.reset();
  CHECK_FALSE(live_lock::take(live).has_value());
  {
    const live_lock gone = std::move(moved);
  }
  CHECK(live_lock::take(live).has_value());
  CHECK(f.names() == std::set<std::string>{"live", ".live.flipback-lock"});
}

TEST_CASE("nobody_else_can_open_it_whatever_the_umask_says") {
  const folder f;
  const std::string live = f.write("live", "x");
  const mode_t before = ::umask(0);
  const auto mine = live_lock::take(live);
  ::umask(before);
  REQUIRE(mine.has_value());
  struct stat is{};
  REQUIRE(::stat(beside(live, dotfile::lock).c_str(), &is) == 0);
  CHECK((is.st_mode & 0777) == 0600);
}

TEST_CASE("another_process_sees_it_and_a_dead_one_holds_nothing") {
  const folder f;
  const std::string live = f.write("live", "x");
  {
    const auto held = live_lock::take(live);
    const std::string said = flipback::test::in_child([&]() -> std::string {
      const int fd = ::open(f.path(".live.flipback-lock").c_str(), O_RDWR);
      return ::flock(fd, LOCK_EX | LOCK_NB) == 0 ? "free" : "held";
    });
    CHECK(said == "held");
  }
  CHECK(flipback::test::in_child([&]() -> std::string { return live_lock::take(live) ? "taken" : "held"; }) == "taken");
  CHECK(live_lock::take(live).has_value());
}

TEST_CASE("a_lock_whose_file_was_taken_away_does_not_count_for_the_new_file") {
  const folder f;
  const std::string live = f.write("live", "x");
  const auto old = live_lock::take(live);
  CHECK(old->holds());
  fs::remove(f.path(".live.flipback-lock"));
  CHECK_FALSE(old->holds());
  const auto next = live_lock::take(live);
  REQUIRE(next.has_value());
  CHECK(next->holds());
  CHECK_FALSE(old->holds());
}

TEST_CASE("a_lock_that_can_t_be_made_says_why") {
  const folder f;
  CHECK(has(live_lock::take(f.path("no/live")).error().says, "can't lock"));
  f.link(".live.flipback-lock", "elsewhere");
  CHECK_FALSE(live_lock::take(f.path("live")).has_value());
  CHECK_FALSE(fs::exists(f.path("elsewhere")));
  ::mkfifo(f.path(".pipe.flipback-lock").c_str(), 0600);
  CHECK(has(live_lock::take(f.path("pipe")).error().says, "no regular file"));
}

TEST_CASE("a_lock_whose_file_is_taken_away_while_it_is_being_locked_is_none") {
  const folder f;
  const std::string live = f.write("live", "x");
  before_the_next_lock = [&] { ::unlink(beside(live, dotfile::lock).c_str()); };
  const auto ours = live_lock::take(live);
  REQUIRE(ours.has_value());
  CHECK_FALSE(live_lock::take(live).has_value());
}
