#include "agent/deployment/tracker.hpp"
#include "tests/agent/deployment/watch.hpp"

using namespace flipback;
using namespace flipback::deployment;

namespace {

const std::string found = "default is nearest to blue's: line 3 is \"# mine\", expected \"}\"; `cp blue default` makes it blue's";

/// Blue is live and was green's way back; then somebody edits the live file.
struct edited : watch {
  edited() {
    green_after(20min);
    sees(20, 1min);
    told.clear();
  }
  edited& edits(const std::string& nearest = found, wall_time changed = wall_time{} + 1h) {
    names = {intent::kind::neither, 0, "default says what no slot's file says", changed, nearest};
    return *this;
  }
  [[nodiscard]] std::string heard_last() const { return told.empty() ? "" : told.back().says; }
};

}  // namespace

TEST_CASE("a_live_file_that_is_no_slots_is_said_once_it_has_stayed_so_for_two_looks") {
  edited w;
  w.edits().sees(1);
  CHECK(w.told.empty());
  w.sees(1);
  REQUIRE(w.heard("deployment.switch_names_no_slot") == 1);
  CHECK(w.told.back().severity == severity::warning);
  CHECK(
      w.heard_last() ==
      "the switch names no slot: default says what no slot's file says; " + found +
          "; users reach green; until it names one, a breach of a rollback rule asks instead of acting, since a person may be changing it; "
          "what is to stay belongs into each slot's file; `flipback rollback --reason TEXT` goes back to blue with v1");
  w.sees(100);
  CHECK(w.heard("deployment.switch_names_no_slot") == 1);
}

TEST_CASE("what_is_still_being_written_is_not_said_and_what_says_something_else_is_said_anew") {
  edited w;
  for (int i = 0; i < 10; ++i) w.edits("half of it", wall_time{} + 1h + i * 1s).sees(1);
  CHECK(w.told.empty());
  w.edits("half of it", wall_time{} + 2h).sees(2);
  CHECK(w.heard("deployment.switch_names_no_slot") == 1);
  w.edits("half of it", wall_time{} + 3h).sees(3);  // written again as it was
  CHECK(w.heard("deployment.switch_names_no_slot") == 1);
  w.edits("more of it", wall_time{} + 4h).sees(3);
  CHECK(w.heard("deployment.switch_names_no_slot") == 2);
  w.names = {intent::kind::names, green, {}, {}, {}};
  w.sees(2);
  w.edits("more of it", wall_time{} + 5h).sees(3);  // it was a slot's in between
  CHECK(w.heard("deployment.switch_names_no_slot") == 3);
}

TEST_CASE("two_hurried_looks_are_not_enough_to_say_it") {
  edited w;
  w.edits().sees(10, 50ms);
  CHECK(w.told.empty());
}

TEST_CASE("a_switch_that_cant_be_read_is_readys_to_say") {
  edited w;
  w.names = {intent::kind::unreadable, 0, "permission denied", {}, {}};
  w.sees(10);
  CHECK(w.told.empty());
}

TEST_CASE("users_who_stay_are_still_at_the_live_slot") {
  edited w;
  w.edits().sees(30);
  CHECK(w.t.is == agreement::agreed);
  CHECK(w.t.users == green);
  CHECK(w.epochs == 2);
  CHECK(wants_fresh_look(w.t));
  CHECK_FALSE(is_changing(w.t));
}

TEST_CASE("users_who_move_while_the_switch_names_no_slot_are_seen_and_are_no_cutover_until_it_does") {
  edited w;
  w.edits();
  w.reached = blue;
  w.sees(2);
  CHECK(w.t.is == agreement::agreed);
  w.sees(1);
  CHECK(w.t.is == agreement::moved);
  CHECK(w.t.users == blue);
  CHECK(w.heard("deployment.moved") == 1);
  CHECK(w.heard("deployment.failover") == 0);
  w.sees(100);
  CHECK(w.epochs == 2);
  CHECK(w.t.now->live.slot == green);
  CHECK(w.heard("deployment.moved") == 1);
  CHECK_FALSE(is_changing(w.t));
  w.names = {intent::kind::names, blue, {}, {}, {}};
  w.sees(3);
  CHECK(w.epochs == 3);
  CHECK(w.t.now->live.slot == blue);
  CHECK(w.t.is == agreement::agreed);
}

TEST_CASE("users_who_had_moved_are_not_taken_for_back_because_the_switch_names_the_live_slot_again") {
  edited w;
  w.edits();
  w.reached = blue;
  w.sees(5);
  w.names = {intent::kind::names, green, {}, {}, {}};
  w.reached.reset();
  w.sees(1);
  CHECK(w.t.is == agreement::failover);
  w.reached = green;
  w.sees(3);
  CHECK(w.t.is == agreement::agreed);
  CHECK(w.epochs == 2);
}

TEST_CASE("a_cached_answer_moves_nobody_while_the_switch_names_no_slot") {
  edited w;
  w.edits();
  w.reached = blue;
  for (int i = 0; i < 10; ++i) {
    w.passes(1s);
    sighting seen = w.sight();
    seen.fresh = false;
    w.take(seen);
  }
  CHECK(w.t.is == agreement::agreed);
  CHECK(w.t.users == green);
}

TEST_CASE("an_edit_while_a_change_is_followed_leaves_what_is_known_of_users") {
  edited w;
  w.names = {intent::kind::names, blue, {}, {}, {}};
  w.sees(2);
  CHECK(w.t.is == agreement::following);
  w.edits().sees(2);
  CHECK(w.t.is == agreement::agreed);
  CHECK(w.epochs == 2);
}

TEST_CASE("after_a_restart_what_was_live_and_still_is_goes_on_though_the_switch_names_no_slot") {
  edited w;
  w.edits().restarts(10s).sees(3);
  REQUIRE(w.t.now);
  CHECK(w.epochs == 0);
  CHECK(w.t.now->live == placed{green, "v2"});
  CHECK(w.t.now->back->to == placed{blue, "v1"});
}

TEST_CASE("after_a_restart_users_elsewhere_are_no_cutover_until_the_switch_names_a_slot") {
  edited w;
  w.edits();
  w.reached = blue;
  w.restarts(10s).sees(20);
  CHECK_FALSE(w.t.now);
  CHECK(reached_by_users(w.t) == placed{blue, "v1"});
  w.names = {intent::kind::names, blue, {}, {}, {}};
  w.sees(3);
  REQUIRE(w.t.now);
  CHECK(w.t.now->live.slot == blue);
  CHECK(w.epochs == 1);
}

TEST_CASE("at_a_first_start_a_switch_that_names_no_slot_gives_no_baseline_but_users_are_followed") {
  watch w;
  w.names = {intent::kind::neither, 0, "a third thing", {}, {}};
  w.sees(20);
  CHECK_FALSE(w.t.now);
  CHECK(w.epochs == 0);
  CHECK(reached_by_users(w.t) == placed{blue, "v1"});
  CHECK_FALSE(is_changing(w.t));
}
