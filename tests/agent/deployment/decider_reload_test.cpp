// What goes on over a reload of the configuration, and what stands beside a rollback that is under way.

#include "agent/deployment/decider.hpp"
#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;
using rollback::outcome;

TEST_CASE("a_reload_puts_off_what_has_changed_nothing_and_waits_for_what_has") {
  for (const bool changed_something : {false, true}) {
    CAPTURE(changed_something);
    story w;
    w.green_is_put_live().begins();
    if (changed_something) w.changes();
    w.forget();
    w.take(pausing{"the configuration is read again"});
    CHECK(w.count<stop_rollback>() == (changed_something ? 0 : 1));
  }
}

TEST_CASE("a_stop_that_comes_before_the_attempt_has_begun_is_given_again_once_it_is_prepared") {
  story w;
  w.green_is_put_live().begins();
  w.take(pausing{"the configuration is read again"});
  REQUIRE(w.count<stop_rollback>() == 1);
  w.forget();
  w.take(prepared{w.id()});
  REQUIRE(w.count<stop_rollback>() == 1);
  CHECK(w.newest<stop_rollback>()->id == w.id());
  CHECK_FALSE(w.left());
  w.ends(outcome::nothing_changed, false);
  CHECK_FALSE(w.s.under_way);
  CHECK_FALSE(w.s.in_doubt.failed);
}

TEST_CASE("an_attempt_is_to_be_forgotten_until_the_journal_has_done_so") {
  story w;
  w.green_is_put_live();
  w.is_rolled_back();
  REQUIRE(w.count<close_journal>() == 1);
  const std::string id = w.newest<close_journal>()->id;
  CHECK(w.s.closing == id);
  w.take(journal_closed{"another"});
  CHECK(w.s.closing == id);
  w.take(journal_closed{id});
  CHECK_FALSE(w.s.closing);
}

TEST_CASE("the_epoch_that_a_rollback_began_is_kept_before_its_journal_is_closed") {
  story w;
  w.green_is_put_live().begins().changes();
  w.names.slot = w.reached.emplace(blue);
  w.rules.clear();
  w.forget();
  w.ends(rollback::outcome::rolled_back, true, blue);
  const auto is_kept = [](const action& a) { return std::holds_alternative<keep>(a) && std::get<keep>(a).what == fact::epoch; };
  const auto kept = std::ranges::find_if(w.did, is_kept);
  const auto closed = std::ranges::find_if(w.did, [](const action& a) { return std::holds_alternative<close_journal>(a); });
  REQUIRE(closed != w.did.end());
  CHECK(kept < closed);
}

TEST_CASE("a_breach_during_a_rollback_is_answered") {
  story w;
  w.green_is_put_live().begins().changes();
  w.forget();
  w.breach("latency");
  w.take(judged{});
  REQUIRE(w.said("rollback.waiting").size() == 1);
  CHECK(w.said("rollback.waiting").front().find("latency: the rollback to blue with v1 is under way") != std::string::npos);
  w.take(judged{});
  CHECK(w.said("rollback.waiting").size() == 1);
  CHECK_FALSE(w.begun());
}

TEST_CASE("a_breach_while_a_rollback_is_prepared_is_answered") {
  story w;
  w.green_is_put_live().begins();
  w.forget();
  w.breach("latency");
  w.take(judged{});
  REQUIRE(w.said("rollback.waiting").size() == 1);
  CHECK(w.said("rollback.waiting").front().find("latency: the rollback to blue with v1 is under way") != std::string::npos);
}

TEST_CASE("a_test_that_refuses_the_configuration_stops_a_rule_and_no_person") {
  for (const bool by_a_person : {false, true}) {
    CAPTURE(by_a_person);
    story w;
    w.green_is_put_live();
    if (by_a_person) {
      w.types(verb::kind::rollback);
    } else {
      w.breach();
      w.run(2s);
    }
    REQUIRE(w.begun());
    w.forget();
    w.take(prepared{w.id(), "unexpected end of file"});
    CHECK(w.left() == by_a_person);
    CHECK(w.times_said("nginx refuses its configuration as it is: unexpected end of file") == (by_a_person ? 0 : 1));
    if (by_a_person) continue;
    CHECK(w.times_said("`flipback rollback --reason TEXT` puts the stable slot's files there all the same") == 1);
    w.ends(outcome::nothing_changed, false);
    CHECK_FALSE(w.s.latched);
    CHECK(w.count<ask_ready>() > 0);  // it is looked anew at once
    w.run(10s);
    CHECK(w.begun());  // the fault has gone
  }
}

TEST_CASE("what_could_not_be_undone_and_names_the_stable_slot_is_no_cutover_of_a_persons") {
  story w;
  w.green_is_put_live().begins().changes();
  w.names.slot = blue;
  w.rules.clear();
  w.ends(outcome::not_undone);
  CHECK(w.s.track.now->is == epoch::kind::rolled_back);
  REQUIRE(w.s.latched);
  w.forget();
  w.flip(blue).run(10s);
  CHECK(w.said("deployment.cutover").empty());
  CHECK_FALSE(w.s.window_was_open);
}

TEST_CASE("a_window_that_is_opened_anew_keeps_what_is_doubtful_unless_the_slot_is_named") {
  for (const bool named : {false, true}) {
    CAPTURE(named);
    story w;
    w.green_is_put_live();
    w.s.track.now->back->doubt = "blue was rolled back by someone else";
    verb open;
    open.is = verb::kind::window_open;
    if (named) open.slot = blue;
    const auto answer = w.types(open);
    REQUIRE(answer);
    CHECK(answer->first);
    CHECK((answer->second.find("waits for `flipback approve`") == std::string::npos) == named);
    CHECK(w.s.track.now->back->doubt.empty() == named);
  }
}

TEST_CASE("a_question_ends_with_its_breach") {
  story w;
  w.by.mode = config::mode::ask;
  w.green_is_put_live();
  w.breach();
  w.run(2s);
  REQUIRE(w.s.questions.size() == 1);
  w.rules.clear();
  w.take(judged{});
  CHECK(w.s.questions.empty());
}

TEST_CASE("a_question_that_is_asked_anew_is_said_anew") {
  story w;
  w.by.mode = config::mode::ask;
  w.by.window = 1h;
  w.green_is_put_live();
  w.breach();
  w.run(2s);
  CHECK(w.said("rollback.asked").size() == 1);
  w.run(11min);
  CHECK(w.said("rollback.asked").size() == 2);
}
