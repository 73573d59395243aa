// What somebody writes between our look and our rename, made to happen there each time.

#include "agent/rollback/file_image.hpp"
#include "agent/rollback/replace.hpp"
#include "tests/agent/rollback/files.hpp"

#include <doctest/doctest.h>

#include <sys/syscall.h>

#include <functional>
#include <utility>

using namespace flipback::rollback;
using flipback::test::folder;
using flipback::test::regular;

namespace {

/// Called right before the next rename, once.
std::function<void()> before_the_next;
int renamed = 0;

}  // namespace

/// Takes the place of the C library's in this program, and does the same.
extern "C" int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned how) noexcept {
  ++renamed;
  if (before_the_next) std::exchange(before_the_next, {})();
  return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, how));
}

TEST_CASE("what_is_written_right_before_an_exchange_is_given_back") {
  const folder f;
  const std::string path = f.write("live", "old");
  f.write("new", "new");
  before_the_next = [&] { f.write("live", "theirs"); };
  CHECK(replace(path, f.path("new"), f.path("kept"), regular("old"), step_kind::exchange).is == put_result::kind::foreign);
  CHECK(f.text("live") == "theirs");
  CHECK(f.text("new") == "new");
}

TEST_CASE("what_is_made_right_before_a_file_appears_is_left") {
  const folder f;
  f.write("new", "new");
  before_the_next = [&] { f.write("live", "theirs"); };
  CHECK(appear(f.path("live"), f.path("new")).is == put_result::kind::foreign);
  CHECK(f.text("live") == "theirs");
}

TEST_CASE("what_is_written_right_before_a_file_vanishes_is_given_back") {
  const folder f;
  f.write("live", "old");
  before_the_next = [&] { f.write("live", "theirs"); };
  CHECK(vanish(f.path("live"), f.path("kept"), regular("old")).is == put_result::kind::foreign);
  CHECK(f.text("live") == "theirs");
}

TEST_CASE("what_is_seen_to_be_somebody_elses_is_not_moved_even_for_an_instant") {
  const folder f;
  const std::string path = f.write("live", "theirs");
  f.write("new", "new");
  renamed = 0;
  CHECK(replace(path, f.path("new"), f.path("kept"), regular("old"), step_kind::exchange).is == put_result::kind::foreign);
  CHECK(vanish(path, f.path("kept"), regular("old")).is == put_result::kind::foreign);
  CHECK(renamed == 0);
  CHECK(f.text("live") == "theirs");
}
