#include "agent/deployment/files_seen.hpp"

#include "tests/agent/rollback/running_nginx.hpp"

#include <doctest/doctest.h>

using flipback::deployment::files_seen;

TEST_CASE("a_file_that_is_written_replaced_made_or_taken_away_is_another") {
  const testing::folder in;
  const std::string file = in / "nginx.conf";
  testing::write(file, "one");
  files_seen seen({file, in / "missing"});
  CHECK_FALSE(seen.differ());
  const auto changed = [&] {
    const bool was = seen.differ();
    seen.look();
    return was && !seen.differ();
  };
  testing::write(file, "three");
  CHECK(changed());
  testing::write(in / "new", "three");
  std::filesystem::rename(in / "new", file);
  CHECK(changed());
  testing::write(in / "missing", "");
  CHECK(changed());
  std::filesystem::remove(file);
  CHECK(changed());
}

TEST_CASE("what_is_watched_already_is_held_against_what_it_was") {
  const testing::folder in;
  testing::write(in / "a", "one");
  files_seen seen({in / "a"});
  testing::write(in / "a", "three");
  testing::write(in / "b", "one");
  seen.watch({in / "a", in / "b"});
  CHECK(seen.differ());
  seen.watch({in / "b"});
  CHECK_FALSE(seen.differ());
}

TEST_CASE("the_newest_change_is_of_the_files_that_are_there") {
  const testing::folder in;
  files_seen seen({in / "a"});
  CHECK_FALSE(seen.changed());
  testing::write(in / "a", "one");
  seen.look();
  REQUIRE(seen.changed());
  CHECK(*seen.changed() > std::chrono::system_clock::now() - std::chrono::minutes(1));
}
