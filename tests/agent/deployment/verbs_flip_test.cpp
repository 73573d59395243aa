// What people type, and what they are answered: flip, which is a cutover and no rollback.

#include "tests/agent/deployment/answered.hpp"

using namespace flipback;
using namespace flipback::deployment;
using rollback::outcome;

namespace {

struct flipping : story {
  std::optional<std::pair<bool, std::string>> flips(slot_number to, bool sure = false) {
    verb v;
    v.is = verb::kind::flip;
    v.slot = to;
    v.sure = sure;
    v.reason = "release 2";
    return types(std::move(v));
  }
  /// The agent watches blue.
  flipping& at_rest() {
    look(3);
    run(3min);
    forget();
    return *this;
  }
  /// What was begun is given leave, and puts the switch there; users follow.
  flipping& changes_to(slot_number to) {
    changes();
    REQUIRE(left());
    names.slot = reached.emplace(to);
    return *this;
  }
};

}  // namespace

TEST_CASE("a_flip_is_a_cutover_with_a_window_and_a_way_back_and_shuts_no_latch") {
  flipping w;
  w.by.mode = config::mode::observe;
  w.at_rest();
  CHECK_FALSE(w.flips(green));
  CHECK(w.count<ask_stable>() == 1);
  REQUIRE(w.begun());
  const attempt begun = w.newest<begin_rollback>()->what;
  CHECK(begun.to == placed{green, "v2"});
  CHECK(begun.from == placed{blue, "v1"});
  CHECK(w.stood().flipping == "to green with v2");
  CHECK(w.stood().rolling == "");
  w.changes_to(green);
  CHECK_FALSE(w.s.latched);
  w.ends(outcome::rolled_back, true, green);
  has(w.answered(), true, "green with v2 is live, proven");
  CHECK(w.said("flip.decided").size() == 1);
  CHECK(w.said("flip.closed").size() == 1);
  CHECK(w.said("rollback.decided").size() + w.said("rollback.closed").size() == 0);
  w.look(3);
  CHECK(w.said("deployment.cutover").size() == 1);
  CHECK(w.stood().live == "green");
  CHECK(w.stood().stable == "blue");
  CHECK(w.stood().window_open);
  CHECK_FALSE(w.stood().latched);
  CHECK(w.s.failures.empty());
}

TEST_CASE("what_a_flip_put_live_is_rolled_back_like_any_other") {
  flipping w;
  w.at_rest();
  w.flips(green);
  w.changes_to(green).ends(outcome::rolled_back, true, green);
  w.run(10s);
  w.forget();
  w.breach();
  w.take(judged{});
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.to.slot == blue);
}

TEST_CASE("a_flip_that_was_undone_leaves_epoch_window_and_latch_as_they_were") {
  flipping w;
  w.at_rest();
  const std::uint64_t epoch = w.stood().epoch;
  w.flips(green);
  w.changes();
  w.ends(outcome::undone, true, blue);
  has(w.answered(), false, "undone, blue stays live");
  w.run(10s);
  CHECK(w.stood().epoch == epoch);
  CHECK(w.stood().live == "blue");
  CHECK_FALSE(w.stood().window_open);
  CHECK_FALSE(w.stood().latched);
  w.forget();
  CHECK_FALSE(w.flips(green));  // it may be tried again at once
  CHECK(w.begun());
}

TEST_CASE("to_a_slot_that_is_sick_or_can't_be_asked_it_flips_by_force_alone") {
  flipping w;
  w.at_rest();
  w.well[green] = false;
  has(w.flips(green), false, "green is sick (500): users would be led to it; `flipback flip green --force` does it all the same");
  w.can_be_asked[green] = false;
  has(w.flips(green), false, "can't be told whether it is well; `flipback flip green --force`");
  CHECK_FALSE(w.begun());
  CHECK_FALSE(w.flips(green, true));
  CHECK(w.begun());
}

TEST_CASE("where_something_stands_in_nginx's_way_a_flip_is_begun_by_force_alone_however_well_all_was_a_moment_ago") {
  flipping w;
  w.at_rest();
  REQUIRE(w.s.ready);
  REQUIRE(w.s.ready->lacks.empty());
  w.lacks = {{true, "nginx.pid can't be read", "start nginx", true}, {false, "no matter", ""}};
  has(w.flips(green), false, "nginx.pid can't be read; start nginx");
  CHECK_FALSE(w.begun());
  w.lacks.erase(w.lacks.begin());
  w.look();
  CHECK_FALSE(w.flips(green));
  REQUIRE(w.begun());
  flipping forced;
  forced.at_rest().lacks = {{true, "nginx.pid can't be read", "start nginx", true}};
  CHECK_FALSE(forced.flips(green, true));
  CHECK(forced.begun());
}

TEST_CASE("what_is_lacking_for_rules_alone_or_what_a_switch_may_mend_stops_no_flip") {
  flipping w;
  w.at_rest().lacks = {{true, "the log has no user agents", "add them"}, {true, "nginx refuses its configuration as it is", "mend it"}};
  CHECK_FALSE(w.flips(green));
  CHECK(w.begun());
}

TEST_CASE("a_flip_that_waits_keeps_no_rollback_from_beginning_and_shows_as_under_way") {
  flipping w;
  w.green_is_put_live();
  w.answers = false;
  CHECK_FALSE(w.flips(blue));
  CHECK(w.stood().flipping == "to blue");
  w.answers = true;
  w.s.asking_stable.reset();
  CHECK_FALSE(w.types(verb::kind::rollback));
  CHECK(w.times_said("nothing was flipped") == 0);  // it is answered, and no event
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.why.is == cause::kind::ordered);

  flipping breached;
  breached.green_is_put_live();
  breached.run(2s);
  breached.answers = false;
  CHECK_FALSE(breached.flips(blue));
  breached.answers = true;
  breached.s.asking_stable.reset();
  breached.s.asking_ready = breached.now.at;  // nginx's test takes its time
  breached.breach();
  breached.run(3s);
  REQUIRE(breached.begun());
  CHECK(breached.newest<begin_rollback>()->what.why.is == cause::kind::rule);
  has(breached.answered(), false, "error-rate is breached, and rolls back to blue with v1: nothing was flipped");
}

TEST_CASE("after_a_flip_that_is_not_proven_a_rollback_leads_to_what_it_left_whatever_the_way_back_was") {
  flipping w;
  w.green_is_put_live().run(1min);
  CHECK_FALSE(w.flips(blue));
  w.changes_to(blue).ends(outcome::rolled_back, true, blue);
  w.look(4);
  REQUIRE(w.stood().stable == "green");
  w.forget();
  CHECK_FALSE(w.flips(green));
  w.changes();
  w.names.slot = green;
  w.ends(outcome::unproven, true, std::nullopt);
  w.reached.reset();
  w.look(3);
  CHECK(std::ranges::any_of(w.stood().lacks, [](const lack& l) { return l.type.contains("`flipback flip blue`"); }));
  w.forget();
  CHECK_FALSE(w.types(verb::kind::rollback));
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.to.slot == blue);
}

TEST_CASE("what_is_lacking_when_leave_is_asked_stops_a_flip_before_its_first_change") {
  flipping w;
  w.at_rest();
  CHECK_FALSE(w.flips(green));
  REQUIRE(w.begun());
  w.s.ready->lacks = {{true, "no way to signal it", "", true}};
  w.take(prepared{w.id(), {}});
  CHECK_FALSE(w.left());
}

TEST_CASE("an_answer_says_what_a_flip_is_counted_as_and_how_to_have_back_what_was") {
  flipping out;
  out.at_rest();
  CHECK_FALSE(out.flips(green));
  out.changes_to(green).ends(outcome::unproven, true, std::nullopt);
  has(out.answered(), false, "; `flipback flip blue` puts blue live again");

  flipping back;
  back.green_is_put_live().run(1min);
  CHECK_FALSE(back.flips(blue));
  back.changes_to(blue).ends(outcome::rolled_back, true, blue);
  flipping onward;
  onward.green_is_put_live().run(1min);
  onward.releases[blue] = "v3";
  onward.look(3);
  CHECK_FALSE(onward.flips(blue));
  onward.changes_to(blue).ends(outcome::rolled_back, true, blue);
  REQUIRE(onward.answered());
  CHECK_FALSE(onward.answered()->second.contains("counts as your rollback"));
  has(back.answered(), true,
      "; that was the way back from green, so that it counts as your rollback: rules ask before they go to green again");

  flipping again;
  again.green_is_put_live().is_rolled_back();
  again.look(3);
  CHECK_FALSE(again.flips(green));
  again.changes_to(green).ends(outcome::rolled_back, true, green);
  has(again.answered(), true, "; v2 was rolled back within the last day: rules ask before they do so again");

  flipping fresh;
  fresh.at_rest();
  CHECK_FALSE(fresh.flips(green));
  fresh.changes_to(green).ends(outcome::rolled_back, true, green);
  REQUIRE(fresh.answered());
  CHECK_FALSE(fresh.answered()->second.contains("rules ask"));
}

TEST_CASE("a_configuration_that_is_read_anew_before_the_first_change_says_to_type_it_again") {
  flipping w;
  w.at_rest();
  CHECK_FALSE(w.flips(green));
  REQUIRE(w.begun());
  w.take(pausing{"the configuration is read again"});
  const auto stopped = w.newest<stop_rollback>();
  REQUIRE(stopped);
  CHECK(stopped->why == "the configuration is read again; type it again");
}

TEST_CASE("to_the_slot_that_is_live_there_is_nothing_to_flip") {
  flipping w;
  w.at_rest();
  has(w.flips(blue), false, "blue is live already: users reach it, and the switch names it");
  has(w.flips(blue, true), false, "blue is live already");
  w.by.effect_is_intent = true;
  w.names = {intent::kind::unreadable, 0, "no `active`", {}};
  w.look(3);
  has(w.flips(blue), false, "blue is live already: users reach it");
  CHECK_FALSE(w.begun());
  CHECK_FALSE(w.flips(green));
  CHECK(w.begun());
}

TEST_CASE("a_switch_that_names_the_slot_and_is_not_followed_is_flipped_to_all_the_same") {
  flipping w;
  w.at_rest();
  w.names.slot = green;  // and nobody has reloaded
  w.look(5);
  CHECK_FALSE(w.flips(green));
  CHECK(w.begun());
}

TEST_CASE("whatever_release_is_there_is_the_one_that_a_flip_leads_to") {
  flipping w;
  w.at_rest();
  w.releases[green] = "v3";  // since the newest look
  CHECK_FALSE(w.flips(green));
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.to == placed{green, "v3"});
}

TEST_CASE("a_flip's_cutover_is_when_it_was_proven_by_its_own_witnesses") {
  flipping w;
  w.at_rest();
  w.flips(green);
  w.changes_to(green);
  w.passes(60s);  // a slow test: users reach blue until the reload
  const moment proven = w.now;
  w.ends(outcome::rolled_back, true, green);
  w.look(1);
  CHECK(w.said("deployment.cutover").size() == 1);
  REQUIRE(w.s.track.now);
  CHECK(w.s.track.now->began == proven);
}

TEST_CASE("while_one_is_under_way_nothing_else_is_begun_and_it_is_called_by_its_name") {
  flipping w;
  w.at_rest();
  w.flips(green);
  has(w.flips(green), false, "a flip to green is under way (ada)");
  has(w.types(verb::kind::rollback), false, "a flip to green is under way (ada)");
  has(w.types(open_window(green)), false, "a flip to green is under way (ada)");
  w.changes_to(green);
  const auto held = w.holds(1h);
  has(held, true, "no automatic rollback acts for 1h");
  CHECK(held->second.find("too late") == std::string::npos);
  flipping other;
  other.green_is_put_live();
  other.types(verb::kind::rollback);
  has(other.flips(blue), false, "a rollback to blue is under way (ada)");
}

TEST_CASE("a_hold_and_a_shut_latch_stop_no_person's_flip") {
  flipping w;
  w.green_is_put_live().is_rolled_back();
  w.look(3);
  w.holds(1h);
  w.forget();
  CHECK_FALSE(w.flips(green));
  REQUIRE(w.begun());
  w.changes_to(green).ends(outcome::rolled_back, true, green);
  w.look(3);
  CHECK(w.stood().live == "green");
}

TEST_CASE("a_flip_that_a_crash_cut_off_is_a_flip_after_it") {
  flipping w;
  attempt was;
  was.id = "1";
  was.why.is = cause::kind::flip;
  was.why.by = "ada";
  was.from = {blue, "v1"};
  was.to = {green, "v2"};
  was.recovery = true;
  started found;
  found.cut_off = was;
  w.take(std::move(found));
  REQUIRE(w.begun());
  w.take(changed{"1"});
  CHECK_FALSE(w.s.latched);
  w.names.slot = green;
  w.reached = green;
  w.ends(outcome::rolled_back, true, green);
  CHECK(w.said("flip.recovered").size() == 1);
  CHECK(w.s.failures.empty());
  CHECK_FALSE(w.s.latched);
}
