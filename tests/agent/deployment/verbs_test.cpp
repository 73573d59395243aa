// What people type, and what they are answered.

#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;
using rollback::outcome;

namespace {

bool has(const std::optional<std::pair<bool, std::string>>& answered, bool done, const std::string& part) {
  REQUIRE(answered);
  INFO(answered->second);
  CHECK(answered->first == done);
  CHECK_MESSAGE(answered->second.find(part) != std::string::npos, answered->second);
  return answered->first == done && answered->second.find(part) != std::string::npos;
}

verb approve(const std::string& rule = {}) {
  verb v;
  v.is = verb::kind::approve;
  v.rule = rule;
  return v;
}

verb open_window(std::optional<slot_number> stable) {
  verb v;
  v.is = verb::kind::window_open;
  v.stable = stable;
  return v;
}

}  // namespace

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
  w.names.slot = green;
  w.reached.reset();
  w.look(3);
  CHECK_FALSE(w.s.track.now);
  CHECK_FALSE(w.types(verb::kind::rollback));
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
    has(w.types(is), false, "a rollback is under way");
  w.s.latched = latch{};
  has(w.types(verb::kind::unlatch, true), false, "a rollback is under way");
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
  w.found_to_blame = {blame::kind::release, "green fails"};
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
