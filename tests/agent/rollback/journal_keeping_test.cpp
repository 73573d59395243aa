// What files said before an attempt is kept before the journal forgets it.

#include "agent/rollback/journal.hpp"
#include "tests/agent/rollback/journaling.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::test;

namespace {

/// What was kept of `/etc/live`, of each attempt.
std::set<std::string> kept_in(const journal_folder& f) {
  std::set<std::string> found;
  if (!fs::is_directory(f.at / "rollback.incidents")) return found;
  for (const std::string& name : f.names("rollback.incidents")) found.insert(f.text("rollback.incidents/" + name + "/etc/live"));
  return found;
}

row first_saying(const std::string& id, const std::string& before, int second) {
  row made = first(id);
  std::get<file_change>(made.of.changes.front()).before.bytes = before;
  made.of.begun = wall_time{} + std::chrono::seconds(second);
  return made;
}

}  // namespace

TEST_CASE("what_files_said_is_kept_when_an_attempt_that_changed_them_is_forgotten") {
  const journal_folder f;
  journal j(f.file(), make_disk());
  REQUIRE(j.read().has_value());
  const row begun = first_saying("a", "edited", 1);
  REQUIRE(done(j.write(begun)));
  j.keep(begun.of);
  CHECK(kept_in(f).empty());
  CHECK(j.newly_kept().empty());
  REQUIRE(done(j.forget()));
  CHECK(kept_in(f) == std::set<std::string>{"edited"});
  const std::string says = j.newly_kept();
  CHECK(says.contains("cp " + f.path("rollback.incidents/19700101T000001.000Z/etc/live") + " /etc/live"));
  CHECK(j.newly_kept().empty());
  CHECK(j.kept() == says);
  // One that changed nothing keeps nothing.
  REQUIRE(done(j.write(first_saying("b", "still edited", 2))));
  REQUIRE(done(j.forget()));
  CHECK(kept_in(f) == std::set<std::string>{"edited"});
  CHECK(j.newly_kept().empty());
  journal again(f.file(), make_disk());
  REQUIRE(again.read().has_value());
  CHECK(again.kept() == says);
}

TEST_CASE("what_can_not_be_kept_stays_in_the_journal_until_it_can") {
  for (std::atomic<int> faulty_disk::* const fault : {&faulty_disk::write_error, &faulty_disk::sync_error}) {
    const journal_folder f;
    const auto faulty = std::make_shared<faulty_disk>();
    journal j(f.file(), faulty);
    REQUIRE(j.read().has_value());
    const row begun = first_saying("a", "edited", 1);
    REQUIRE(done(j.write(begun)));
    j.keep(begun.of);
    *faulty.*fault = ENOSPC;
    const result refused = done(j.forget());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().contains("what /etc/live said before it was changed can't be kept"));
    CHECK(refused.error().contains("No space left"));
    REQUIRE(read(f.file()).size() == 1);
    CHECK((read(f.file()).front() == begun));
    // The next one goes on unrecorded, and what it overwrites is not lost either.
    const row next_one = first_saying("b", "edited again", 2);
    CHECK_FALSE(done(j.write(next_one)));
    j.keep(next_one.of);
    CHECK_FALSE(done(j.forget()));
    CHECK(read(f.file()).front().of.id == "a");
    *faulty.*fault = 0;
    CHECK(done(j.forget()));
    CHECK(kept_in(f) == std::set<std::string>{"edited", "edited again"});
    CHECK(read(f.file()).empty());
  }
}
