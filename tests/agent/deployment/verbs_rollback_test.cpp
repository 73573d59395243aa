// What people type, and what they are answered: rollback and approve.

#include "tests/agent/deployment/answered.hpp"

using namespace flipback;
using namespace flipback::deployment;
using rollback::outcome;

// rollback

TEST_CASE("a_person's_rollback_needs_no_breach_no_window_no_mode_and_asks_the_stable_slot") {
  story w;
  w.by.mode = config::mode::observe;
  w.green_is_put_live();
  w.run(1h);
  w.holds(1h);
  w.forget();
  CHECK_FALSE(w.types(verb::kind::rollback));
  CHECK(w.count<ask_stable>() == 1);
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.why.is == cause::kind::ordered);
  CHECK(w.newest<begin_rollback>()->what.why.by == "ada");
  w.take(prepared{w.id()});
  CHECK(w.left());
  w.names.slot = w.reached.emplace(blue);
  w.ends(outcome::rolled_back, true, blue);
  has(w.answered(), true, "blue with v1 is live, proven");
}

TEST_CASE("a_person's_rollback_is_refused_where_the_stable_slot_is_sick") {
  story w;
  w.green_is_put_live();
  w.well[blue] = false;
  has(w.types(verb::kind::rollback), false, "--force --reason");
  CHECK_FALSE(w.begun());
  CHECK_FALSE(w.types(verb::kind::rollback, true));
  CHECK(w.begun());
  w.take(prepared{w.id()});
  CHECK(w.left());
}

TEST_CASE("it_is_refused_where_the_stable_slot_has_another_release") {
  story w;
  w.green_is_put_live();
  w.releases[blue] = "v7";
  has(w.types(verb::kind::rollback), false, "no longer has v1, but v7");
}

TEST_CASE("it_is_refused_where_switch_and_users_name_the_stable_slot_already") {
  story w;
  w.green_is_put_live().is_rolled_back();
  w.look(3);
  w.forget();
  has(w.types(verb::kind::rollback), false, "already");
  CHECK_FALSE(w.begun());
  CHECK_FALSE(w.types(verb::kind::rollback, true));
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.to.slot == blue);  // never on to what was rolled back
  CHECK(w.newest<begin_rollback>()->what.from.slot == green);
}

TEST_CASE("it_is_not_refused_where_that_is_not_proven") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.changes();
  w.names.slot = blue;
  w.reached.reset();
  w.rules.clear();
  w.ends(outcome::unproven);
  w.run(5s);
  w.forget();
  CHECK_FALSE(w.types(verb::kind::rollback));
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.to.slot == blue);
}

TEST_CASE("a_switch_that_was_not_followed_is_reloaded_by_a_rollback") {
  story w;
  w.green_is_put_live();
  w.names.slot = blue;  // copied, and not reloaded
  w.look(2);
  CHECK_FALSE(w.types(verb::kind::rollback));
  CHECK(w.begun());
}

TEST_CASE("a_person's_rollback_needs_no_known_effect") {
  story w;
  w.green_is_put_live();
  recollection was;
  was.then = *w.s.track.now;
  was.seen = w.now;
  story later;
  later.names.slot = green;
  later.reached.reset();
  later.take(started{.recalled = was});
  later.look(3);
  REQUIRE_FALSE(later.s.track.now);
  CHECK_FALSE(later.types(verb::kind::rollback));
  REQUIRE(later.begun());
  CHECK(later.newest<begin_rollback>()->what.to == placed{blue, "v1"});
}

TEST_CASE("where_less_is_known_than_in_a_baseline_a_rollback_to_the_other_slot_needs_force_as_well") {
  for (const bool remembered : {false, true}) {
    CAPTURE(remembered);
    story w;
    w.names.slot = green;
    w.reached.reset();
    if (remembered) {  // that green was live, and nothing else
      recollection was;
      was.then.number = 1;
      was.then.live = {green, "v2"};
      was.seen = w.now;
      w.take(started{.recalled = was});
    }
    w.look(3);
    REQUIRE_FALSE(w.s.track.now);
    has(w.types(verb::kind::rollback), false, "blue was not seen live since the record began");
    has(w.answered(), false, "`flipback rollback --force --reason TEXT` goes to blue all the same");
    CHECK_FALSE(w.begun());
    CHECK_FALSE(w.s.order);
  }
}

TEST_CASE("a_slot_that_was_live_in_the_record_is_gone_to_while_nobody_knows_whom_users_reach") {
  story w;
  recollection was;  // blue was live, and the switch has come to name green while the agent was away
  was.then.number = 1;
  was.then.live = {blue, "v1"};
  was.seen = w.now;
  w.names.slot = green;
  w.reached.reset();
  w.take(started{.recalled = was});
  w.look(3);
  REQUIRE_FALSE(w.s.track.now);
  CHECK_FALSE(w.types(verb::kind::rollback));
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.to.slot == blue);
}

TEST_CASE("a_person_may_name_in_the_configuration_the_slot_that_is_good") {
  story w;
  w.by.stable = blue;
  w.names.slot = green;
  w.reached.reset();
  w.look(3);
  CHECK_FALSE(w.types(verb::kind::rollback));
  CHECK(w.begun());
}

TEST_CASE("a_forced_rollback_goes_on_when_it_becomes_known_what_users_reach") {
  story w;
  w.names.slot = green;
  w.reached.reset();
  w.look(3);
  CHECK_FALSE(w.s.track.now);
  CHECK_FALSE(w.types(verb::kind::rollback, true));
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.to.slot == blue);
  CHECK(w.newest<begin_rollback>()->what.from.slot == green);
  // It becomes known in between: that is no cutover.
  w.reached = green;
  w.look(3);
  w.take(prepared{w.id()});
  w.take(judged{});
  CHECK(w.left());

  story nothing;
  nothing.names.is = intent::kind::neither;
  has(nothing.types(verb::kind::rollback), false, "not known which slot to go back to");
}

TEST_CASE("an_order_waits_30_s_for_answers") {
  story w;
  w.green_is_put_live();
  w.answers = false;
  CHECK_FALSE(w.types(verb::kind::rollback));
  CHECK(w.s.order);
  w.passes(30s);
  w.take(judged{});
  CHECK_FALSE(w.answered());
  w.passes(1s);
  w.take(judged{});
  has(w.answered(), false, "asked");
  CHECK_FALSE(w.s.order);
}

TEST_CASE("one_rollback_at_a_time") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  for (const auto is : {verb::kind::rollback, verb::kind::approve, verb::kind::window_open})
    has(w.types(is), false, "a rollback to blue is under way (the rule error-rate)");
  w.s.latched = latch{};
  has(w.types(verb::kind::unlatch, true), false, "a rollback to blue is under way (the rule error-rate)");
}

TEST_CASE("an_order_that_comes_to_nothing_says_so") {
  story w;
  w.green_is_put_live();
  w.types(verb::kind::rollback);
  w.ends(outcome::nothing_changed, false);
  has(w.answered(), false, "nothing was changed");
  w.types(verb::kind::rollback);
  w.changes();
  w.ends(outcome::unproven);
  has(w.answered(), false, "not proven");
}

// approve

TEST_CASE("approve_asks_the_guards_again_and_rolls_back") {
  story w;
  w.by.mode = config::mode::ask;
  w.green_is_put_live();
  has(w.types(approve()), false, "nothing is asked");
  w.breach();
  w.run(5s);
  w.forget();
  CHECK_FALSE(w.types(approve()));
  CHECK(w.said("rollback.approved").size() == 1);
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.why.by == "ada");
  w.take(prepared{w.id()});
  CHECK(w.left());
  w.ends(outcome::rolled_back, true, blue);
  has(w.answered(), true, "proven");
}

TEST_CASE("an_approval_that_the_guards_refuse") {
  story w;
  w.by.mode = config::mode::ask;
  w.green_is_put_live();
  w.breach();
  w.run(5s);
  w.found_to_blame = {blame::kind::both_fail, "both fail"};
  w.passes(10s);
  has(w.types(approve()), false, "both fail");
  CHECK_FALSE(w.begun());
  w.found_to_blame = {blame::kind::release_to_blame, "green fails"};
  w.rule().above_since_mark = answer::yes;
  w.run(10s);
  w.well[blue] = false;
  w.look();
  has(w.types(approve()), false, "would not help");
  CHECK_FALSE(w.begun());
}

TEST_CASE("an_approval_after_the_breach_or_after_ten_minutes") {
  story w;
  w.by.mode = config::mode::ask;
  w.green_is_put_live();
  w.breach();
  w.run(5s);
  w.rules.clear();
  has(w.types(approve()), false, "no longer breached");

  story late;
  late.by.mode = config::mode::ask;
  late.green_is_put_live();
  late.breach();
  late.take(judged{});
  REQUIRE(late.s.questions.size() == 1);
  late.passes(10min + 1s);
  has(late.types(approve()), false, "nothing is asked");
}

TEST_CASE("approve_after_the_window") {
  story w;
  w.by.mode = config::mode::ask;
  w.green_is_put_live();
  w.run(14min);
  w.breach();
  w.run(5min);
  CHECK_FALSE(w.s.window_was_open);
  CHECK_FALSE(w.types(approve()));
  CHECK(w.begun());
  w.take(prepared{w.id()});
  CHECK(w.left());
}

TEST_CASE("where_several_rules_ask_one_is_named") {
  story w;
  w.by.mode = config::mode::ask;
  w.green_is_put_live();
  w.breach();
  w.breach("outage");
  w.run(5s);
  has(w.types(approve()), false, "name one");
  has(w.types(approve("latency")), false, "latency asks nothing");
  CHECK_FALSE(w.types(approve("outage")));
  CHECK(w.newest<begin_rollback>()->what.why.rule == "outage");
}

TEST_CASE("a_cutover_takes_an_approval_with_it") {
  story w;
  w.by.mode = config::mode::ask;
  w.green_is_put_live();
  w.breach();
  w.run(5s);
  w.answers = false;
  w.passes(3s);
  CHECK_FALSE(w.types(approve()));
  CHECK(w.s.order);
  w.releases[green] = "v3";
  w.look(3);
  has(w.answered(), false, "no longer the one that was asked about");
  CHECK_FALSE(w.begun());
}

TEST_CASE("beside_another_agent_nobodys_order_is_carried_out") {
  for (const bool by_force : {false, true}) {
    CAPTURE(by_force);
    story w;
    w.green_is_put_live();
    w.another_agent = "another agent acts on /etc/nginx/live";
    const auto answer = w.types(verb::kind::rollback, by_force);
    REQUIRE(answer);
    CHECK_FALSE(answer->first);
    CHECK(answer->second == "another agent acts on /etc/nginx/live");
    CHECK_FALSE(w.begun());
  }
}
