#include "agent/privileged/installs.hpp"

#include "agent/rollback/file_image.hpp"
#include "tests/agent/privileged/roots_folder.hpp"

#include <vector>

using namespace flipback;
using namespace flipback::test;
using rollback::answer;
using rollback::done;
using rollback::order;

namespace {

struct served : host {
  privileged::settings settings = *privileged::read_settings(path("helper.toml"));
  privileged::installs made{at / "state", settings.of};

  /// As an agent says it that has looked just now.
  order to(const std::string& slot) const {
    const auto changes = rollback::make_file_switch(settings.of)->changes_to(slot == "blue" ? 0 : 1);
    REQUIRE(changes.has_value());
    return {.is = order::verb::install, .slot = slot, .changes = rollback::hashed(*changes)};
  }
  done install(const std::string& slot) { return made.install(to(slot)); }
  /// Where the new file would be written there is a folder.
  void block(const std::string& name) const { fs::create_directories(at / fmt::format(".{}.flipback-new/in", name)); }
  void unblock(const std::string& name) const { fs::remove_all(at / fmt::format(".{}.flipback-new", name)); }
};

void is(const done& d, answer expected, const char* says = "") {
  CAPTURE(d.says);
  CHECK(d.is == expected);
  CHECK(d.says.contains(says));
}

}  // namespace

TEST_CASE("an_install_makes_all_files_the_slots_and_a_restore_gives_back_what_was_there") {
  served s;
  REQUIRE(::chmod(s.path("one").c_str(), 0640) == 0);
  REQUIRE(::chown(s.path("one").c_str(), 0, 65534) == 0);
  is(s.made.restore(), answer::no, "nothing was installed");
  is(s.install("green"), answer::yes);
  CHECK(s.both() == green);
  CHECK(looked_at(s.path("one")).st_gid == 65534);
  CHECK(s.names("state") == std::set<std::string>{"last", "replaced"});
  CHECK(s.names("state/replaced").size() == 2);
  for (const std::string& hash : s.names("state/replaced")) CHECK(blue.contains(s.text("state/replaced/" + hash)));
  is(s.install("green"), answer::yes);  // nothing is left to be done, and nothing is forgotten
  is(s.made.restore(), answer::yes);
  is(s.made.restore(), answer::yes);
  CHECK(s.both() == blue);
  CHECK((looked_at(s.path("one")).st_mode & 07777U) == 0640);
}

TEST_CASE("an_install_is_of_what_the_caller_saw_and_of_nothing_else") {
  served s;
  const order right = s.to("green");
  order no_hash = right;
  no_hash.changes.clear();
  order other_before = right;
  other_before.changes[1].before = std::string(64, '0');
  order other_after = right;
  other_after.changes[1].after = std::string(64, '0');
  order in_another_order = right;
  std::swap(in_another_order.changes[0], in_another_order.changes[1]);
  order one_alone = right;
  one_alone.changes.pop_back();
  order other_slot = right;
  other_slot.slot = "blue";
  for (const order& o : {no_hash, other_before, other_after, in_another_order, one_alone, other_slot})
    is(s.made.install(o), answer::no, "don't say what the agent saw");
  order none = right;
  none.slot = "yellow";
  is(s.made.install(none), answer::no, "yellow is no slot");
  CHECK(s.both() == blue);
  CHECK(s.names("state").empty());
}

TEST_CASE("an_install_that_can_not_write_one_file_leaves_all_as_they_were") {
  served s;
  s.block("two");
  is(s.install("green"), answer::no, "two");
  CHECK(s.both() == blue);
  CHECK(!s.names("state").contains("begun"));
  s.unblock("two");
  is(s.install("green"), answer::yes);
  s.made.tidy_up();
  s.block("two");
  is(s.install("blue"), answer::no);  // and does not hide what was installed before
  s.unblock("two");
  CHECK(s.both() == green);
  is(s.made.restore(), answer::yes);
  CHECK(s.both() == blue);
}

TEST_CASE("what_is_replaced_is_kept_before_it_is_or_nothing_is") {
  served s;
  s.write("state/replaced", "no folder");
  is(s.install("green"), answer::no, "can't be kept");
  CHECK(s.both() == blue);
}

TEST_CASE("a_restore_leaves_what_somebody_else_wrote_and_gives_back_the_rest") {
  served s;
  is(s.install("green"), answer::yes);
  s.write("two", "by hand\n");
  is(s.made.restore(), answer::no, "somebody else changed it");
  CHECK(s.both() == "one is blue\nby hand\n");
}

TEST_CASE("an_install_that_was_cut_off_is_completed_and_taken_back_whole") {
  served s;
  is(s.install("green"), answer::yes);
  // As it stood when the first file was there and the second was not.
  fs::rename(s.path("state/last"), s.path("state/begun"));
  s.write("two", "two is blue\n");
  const order rest = s.to("green");
  REQUIRE(rest.changes.size() == 1);
  is(s.made.install(rest), answer::yes);
  CHECK(s.both() == green);
  is(s.made.restore(), answer::yes);
  CHECK(s.both() == blue);
}

TEST_CASE("an_install_that_was_cut_off_is_taken_back") {
  served s;
  is(s.install("green"), answer::yes);
  fs::rename(s.path("state/last"), s.path("state/begun"));
  s.write("two", "two is blue\n");
  is(s.made.restore(), answer::yes);
  CHECK(s.both() == blue);
}

TEST_CASE("a_restore_takes_back_the_last_install_alone") {
  served s;
  is(s.install("green"), answer::yes);
  s.write("two", "two is blue\n");  // by a person, a day later
  is(s.install("green"), answer::yes);
  is(s.made.restore(), answer::yes);
  CHECK(s.both() == "one is green\ntwo is blue\n");
}

TEST_CASE("a_restore_writes_nothing_that_the_configuration_no_longer_names") {
  served s;
  is(s.install("green"), answer::yes);
  std::erase_if(s.settings.of.deployment->live_files, [](const auto& file) { return file.live.ends_with("/two"); });
  privileged::installs now(s.at / "state", s.settings.of);
  is(now.restore(), answer::no, "no longer a live file");
  CHECK(s.text("two") == "two is green\n");
}

TEST_CASE("a_restore_writes_nowhere_where_others_than_root_may") {
  served s;
  is(s.install("green"), answer::yes);
  REQUIRE(::chown(s.at.c_str(), 65534, 0) == 0);
  is(s.made.restore(), answer::no, "belongs to user 65534");
  CHECK(s.both() == green);
}

TEST_CASE("a_record_that_can_not_be_read_is_said") {
  served s;
  s.write("state/last", "{}");
  is(s.made.restore(), answer::no, "can't be read");
}

TEST_CASE("an_agent_that_may_make_no_lock_finds_one_that_it_may_take") {
  served s;
  s.made.make_locks(65534);
  CHECK(as_nobody([&] { return rollback::live_lock::take(s.path("one")).has_value() ? "taken" : "refused"; }) == "taken");
}

TEST_CASE("who_is_not_of_the_agents_group_can_not_keep_it_from_acting_by_its_lock") {
  served s;
  s.write(".one.flipback-lock", "");
  REQUIRE(::chmod(s.path(".one.flipback-lock").c_str(), 0644) == 0);  // as earlier versions made it
  s.made.make_locks(0);
  CHECK(as_nobody([&] { return rollback::live_lock::take(s.path("one")).has_value() ? "taken" : "refused"; }) == "refused");
}

TEST_CASE("whether_an_install_could_be_is_told_and_leaves_no_trace") {
  served s;
  order what = s.to("green");
  what.is = order::verb::could;
  const auto before = s.names();
  const auto state = s.names("state");
  is(s.made.could(what), answer::yes);
  CHECK(s.names() == before);
  CHECK(s.names("state") == state);
  CHECK(s.both() == blue);
  order other = what;
  other.changes.front().before = std::string(64, '0');
  is(s.made.could(other), answer::no, "configured for others");
  other = what;
  other.slot = "red";
  is(s.made.could(other), answer::no, "red is no slot");
  REQUIRE(::chown(s.path("two").c_str(), 65534, 0) == 0);
  is(s.made.could(what), answer::no, "belongs to user 65534");
}

TEST_CASE("what_lies_beside_a_file_for_an_undo_is_taken_away_when_nobody_has_asked_for_long") {
  served s;
  is(s.install("green"), answer::yes);
  CHECK(s.names().contains(".one.flipback-kept"));
  s.made.tidy_up();
  CHECK(!s.names().contains(".one.flipback-kept"));
  is(s.made.restore(), answer::yes);
  CHECK(s.both() == blue);
}
