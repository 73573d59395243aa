// What people type, and what they are answered: hold, unlatch, window.

#include "tests/agent/deployment/answered.hpp"

using namespace flipback;
using namespace flipback::deployment;
using rollback::outcome;

// hold, unhold

TEST_CASE("a_hold_stops_and_frees_the_automatic_one") {
  story w;
  w.green_is_put_live();
  has(w.holds(10min), true, "for 10m");
  CHECK(w.keeps(fact::hold));
  w.breach();
  w.run(1min);
  CHECK_FALSE(w.begun());
  has(w.types(verb::kind::unhold), true, "act again");
  w.run(1s);
  CHECK(w.begun());
  has(w.types(verb::kind::unhold), false, "nothing is held");
}

TEST_CASE("a_hold_ends_by_itself_and_that_is_said") {
  story w;
  w.green_is_put_live();
  w.holds(1min);
  w.breach();
  w.run(59s);
  CHECK_FALSE(w.begun());
  w.run(2s);
  CHECK(w.said("rollback.freed").size() == 1);
  CHECK_FALSE(w.s.held);
  CHECK(w.begun());
}

TEST_CASE("a_second_shorter_hold_is_answered_with_what_is") {
  story w;
  w.green_is_put_live();
  w.holds(1h);
  const moment until = w.s.held->until;
  has(w.holds(10min, "ben"), true, "a longer hold is there already and stays: held by ada");
  CHECK(w.s.held->until == until);
  CHECK(w.s.held->by == "ada");
  has(w.holds(2h, "ben"), true, "for 2h");
  CHECK(w.s.held->by == "ben");
}

TEST_CASE("a_hold_after_the_first_change_says_that_it_came_too_late") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.changes();
  has(w.holds(10min), true, "too late");
  CHECK(w.count<stop_rollback>() == 0);
  has(w.holds(1min), true, "too late");  // and so does one that changes nothing
  story before;
  before.green_is_put_live();
  before.breach();
  before.take(judged{});
  const auto answered = before.holds(10min);
  REQUIRE(answered);
  CHECK(answered->second.find("too late") == std::string::npos);
}

TEST_CASE("where_the_store_fails_the_answer_says_so") {
  story w;
  w.green_is_put_live();
  w.answers = false;
  CHECK_FALSE(w.holds(10min));  // no answer before it is on disk, or known not to be
  w.take(stored{"latch", ""});
  CHECK_FALSE(w.answered());
  w.take(stored{"hold", "no space left on device"});
  has(w.answered(), true, "no space left on device");
  CHECK(w.s.held);  // and it holds all the same
  w.take(stored{"hold", ""});
  CHECK(w.count<answer_verb>() == 1);
  w.s.latched = latch{w.s.track.now->number, {green, "v2"}, "error-rate", w.now, "undone"};
  CHECK_FALSE(w.types(verb::kind::unlatch));
  w.take(stored{"latch", "no space left on device"});
  has(w.answered(), true, "would not outlast a restart");
  CHECK_FALSE(w.types(verb::kind::window_close));
  w.take(stored{"epoch", "no space left on device"});
  has(w.answered(), true, "would not outlast a restart");
  CHECK_FALSE(w.types(open_window(blue)));
  w.take(stored{"epoch", "no space left on device"});
  has(w.answered(), true, "would not outlast a restart");
  CHECK_FALSE(w.types(verb::kind::unhold));
  w.take(stored{"hold", "no space left on device"});
  has(w.answered(), true, "would not outlast a restart");
}

// unlatch

TEST_CASE("unlatch_asks_for_a_confirmation_while_a_rule_is_breached") {
  story w;
  w.green_is_put_live();
  has(w.types(verb::kind::unlatch), false, "the latch is open");
  w.breach();
  w.take(judged{});
  w.changes();
  w.ends(outcome::undone, true, green);
  has(w.types(verb::kind::unlatch), false, "error-rate is breached");
  CHECK(w.s.latched);
  has(w.types(verb::kind::unlatch, true), true, "the latch is open");
  CHECK_FALSE(w.s.latched);
  CHECK(w.keeps(fact::latch));
  w.ends(outcome::nothing_changed, false);  // of the rollback that has begun again
}

TEST_CASE("unlatch_needs_no_confirmation_while_nothing_is_breached") {
  story w;
  w.green_is_put_live();
  w.s.latched = latch{w.s.track.now->number, {green, "v2"}, "error-rate", w.now, "undone"};
  w.pending(1min);
  has(w.types(verb::kind::unlatch), true, "the latch is open");
}

TEST_CASE("unlatch_forgives_the_live_release") {
  story w;
  w.green_is_put_live();
  w.s.failures = {{{green, "v2"}, w.now}, {{blue, "v0"}, w.now}};
  w.s.latched = latch{w.s.track.now->number, {green, "v2"}, "error-rate", w.now, "undone"};
  w.types(verb::kind::unlatch);
  CHECK(w.s.failures.size() == 1);
  w.breach();
  w.run(1s);
  CHECK(w.begun());
}

// window open, window close

TEST_CASE("a_window_that_a_person_opens_lets_rules_act") {
  story w;
  w.look(6);
  has(w.types(verb::kind::window_open), false, "--stable SLOT");
  has(w.types(open_window(blue)), false, "blue is live already");
  has(w.types(open_window(green)), true, "open for 15m, with green with v2 to go back to");
  CHECK(w.keeps(fact::epoch));
  w.look(4);
  CHECK(w.s.window_was_open);
  w.breach();
  w.run(2s);
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.to == placed{green, "v2"});
}

TEST_CASE("a_window_is_opened_again_with_the_way_back_that_there_is") {
  story w;
  w.green_is_put_live();
  w.run(20min);
  w.s.latched = latch{w.s.track.now->number, {green, "v2"}, "error-rate", w.now, "undone"};
  has(w.types(verb::kind::window_open), true, "blue with v1");
  CHECK_FALSE(w.s.latched);
  w.look(4);
  w.breach();
  w.run(2s);
  CHECK(w.begun());
}

TEST_CASE("no_window_is_opened_where_it_is_not_known_which_slot_is_live_or_towards_a_canary") {
  story w;
  has(w.types(open_window(green)), false, "not known which slot is live");
  w.look(4);
  w.by.canary = green;
  has(w.types(open_window(green)), false, "canary");
}

TEST_CASE("a_window_that_a_person_closes_is_over") {
  story w;
  w.green_is_put_live();
  has(w.types(verb::kind::window_close), true, "closed");
  CHECK(w.keeps(fact::epoch));
  w.breach();
  w.run(1min);
  CHECK_FALSE(w.begun());
  has(w.types(verb::kind::window_close), false, "the rollback window is closed");
}

TEST_CASE("who_did_it_is_recorded") {
  story w;
  w.green_is_put_live();
  w.holds(1h);
  w.types(verb::kind::unhold);
  w.types(verb::kind::window_close);
  w.types(verb::kind::window_open);
  for (const char* kind : {"rollback.held", "rollback.freed", "deployment.window_ended", "deployment.window_opened"}) {
    CAPTURE(kind);
    CHECK(w.said(kind).size() == 1);
    const bool named = std::ranges::any_of(w.did, [&](const action& a) {
      const auto* s = std::get_if<say>(&a);
      return s && s->what.kind == kind &&
             std::ranges::any_of(s->what.fields, [](const auto& f) { return f.first == "by" && f.second == event::value("ada"); });
    });
    CHECK(named);
  }
}
