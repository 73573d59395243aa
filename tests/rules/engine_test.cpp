#include "rules/built_in.hpp"
#include "tests/rules/story.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

using namespace flipback;
using namespace flipback::rules;
using namespace flipback::rules::story_telling;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("a_rule_follows_its_condition_one_change_at_a_time") {
  rule_source r = rollback_rule("traffic.error_rate over 10s > 5%");
  r.lasting = seconds(3);
  story s({r});
  s.seconds_of(5, 100, 0);
  s.seconds_of(10, 100, 20);
  s.seconds_of(12, 100, 0);
  CHECK(told(s) == lines{"1.0 r unknown to ok", "7.0 r ok to pending", "10.0 r pending to breached", "23.0 r breached to ok"}.text);
}

TEST_CASE("for_elapses_between_samples_too") {
  rule_source r = rollback_rule("traffic.error_rate over 10s > 5%");
  r.lasting = milliseconds(2500);
  story s({r});
  s.seconds_of(5, 100, 50);
  CHECK(told(s) == lines{"1.0 r unknown to pending", "3.5 r pending to breached"}.text);
}

TEST_CASE("a_pending_rule_whose_loop_stood_still_for_too_long_is_unknown_and_can_be_explained") {
  rule_source r = rollback_rule("traffic.error_rate over 10s > 5%");
  r.lasting = seconds(10);
  story s({r});
  s.seconds_of(3, 100, 50);
  REQUIRE(s.judged.verdict_of(0) == verdict::pending);
  s.now = 9;
  s.judged.unwatched(story::at(3), story::at(s.now));
  CHECK(s.judged.explanation(0, story::at(s.now)).is == verdict::unknown);
  CHECK_FALSE(s.judged.breaches_at(0));
  s.seconds_of(10, 100, 50);
  CHECK(s.judged.verdict_of(0) == verdict::pending);  // it begins anew
  s.second(100, 50);
  CHECK(s.judged.verdict_of(0) == verdict::breached);
}

TEST_CASE("a_rule_goes_on_with_what_an_earlier_life_saw_of_the_very_same_one_since_the_cutover") {
  rule_source r = rollback_rule("traffic.error_rate over 10s > 5%");
  r.lasting = seconds(60);
  const auto since = [&](const rule_source& then, int began) {
    story s({r});
    s.judged.cutover(story::at(1), false, true);
    s.judged.resume({meaning_of(then), story::at(began), story::at(40), {}});
    s.now = 50;
    s.seconds_of(62, 100, 50);
    return s.judged.true_since(0);
  };
  CHECK(since(r, 2) == story::at(2));
  CHECK(since(r, 0) != story::at(0));  // it was of the release before
  rule_source other = r;
  other.min_errors = 1;
  CHECK(since(other, 2) != story::at(2));
  rule_source tells = r;
  tells.then = consequence::alert;
  story s({tells});
  s.judged.cutover(story::at(1), false, true);
  s.judged.resume({meaning_of(tells), story::at(2), story::at(3), {}});
  CHECK_FALSE(s.judged.true_since(0));
}

TEST_CASE("no_two_rules_that_say_something_else_have_one_meaning") {
  const rule_source r = rollback_rule("traffic.error_rate over 10s > 5%");
  std::vector<rule_source> all(14, r);
  all[1].name = "s";
  all[2].enabled = false;
  all[3].when.text += " ";
  all[4].until.text = "traffic.up == 1";
  all[5].unless.text = "traffic.up == 1";
  all[6].lasting = seconds(1);
  all[7].after = seconds(1);
  all[8].gap = seconds(1);
  all[9].then = consequence::alert;
  all[10].sets_hold = true;
  all[11].min_samples = 7;
  all[12].min_errors = 7;
  all[13].partial = !r.partial;
  std::set<std::string> meanings;
  for (const rule_source& each : all) meanings.insert(meaning_of(each));
  CHECK(meanings.size() == all.size());
  rule_source elsewhere = r;
  elsewhere.at.line = 77;
  CHECK(same_meaning(r, elsewhere));
}

TEST_CASE("silence_is_unknown_after_the_signal_goes_stale") {
  story s({rollback_rule("traffic.error_rate over 60s > 5%")});
  s.seconds_of(3, 100, 0);
  s.seconds_of(20, 0, 0);
  CHECK(told(s) == lines{"1.0 r unknown to ok", "18.0 r ok to unknown"}.text);
}

TEST_CASE("a_breach_outlives_silence") {
  story s({rollback_rule("traffic.error_rate over 60s > 5%")});
  s.seconds_of(3, 100, 50);
  s.seconds_of(100, 0, 0);
  CHECK(told(s) == lines{"1.0 r unknown to breached"}.text);
}

TEST_CASE("too_few_requests_are_unknown_and_too_few_errors_are_false") {
  rule_source r = rollback_rule("traffic.error_rate over 10s > 5%");
  r.min_samples = 50;
  r.min_errors = 15;
  story s({r});
  s.seconds_of(4, 10, 2);  // 40 requests
  s.seconds_of(2, 10, 2);  // 60 requests, 12 errors
  s.seconds_of(2, 10, 2);  // 80 requests, 16 errors
  CHECK(told(s) == lines{"5.0 r unknown to ok", "8.0 r ok to breached"}.text);
}

TEST_CASE("at_a_cutover_rollback_rules_start_empty_and_alerts_go_on") {
  rule_source alert = rollback_rule("traffic.error_rate over 60s > 5%");
  alert.name = "alert";
  alert.then = consequence::alert;
  story s({rollback_rule("traffic.error_rate over 60s > 5%"), alert});
  s.seconds_of(10, 100, 50);
  s.judged.cutover(story::at(10));
  s.seconds_of(10, 100, 1);
  CHECK(told(s) == lines{"1.0 r unknown to breached", "1.0 alert unknown to breached", "11.0 r breached to unknown (not this release)",
                         "11.0 r unknown to ok (not this release)"}
                       .text);
}

TEST_CASE("a_cutover_told_anew_after_a_reload_changes_nothing") {
  rule_source r = rollback_rule("traffic.error_rate over 10s > 5%");
  r.lasting = seconds(8);
  story s({r});
  s.seconds_of(10, 100, 0);
  s.judged.cutover(story::at(10));
  s.seconds_of(4, 100, 50);
  story reloaded({r});
  reloaded.judged.adopt(std::move(s.judged));
  reloaded.now = s.now;
  reloaded.judged.cutover(story::at(10.001));
  reloaded.seconds_of(6, 100, 50);
  CHECK(told(reloaded) == lines{"19.0 r pending to breached"}.text);
}

TEST_CASE("a_cutover_that_is_learnt_of_late_is_blamed_for_what_came_after_it") {
  story s({rollback_rule("traffic.error_rate over 10s > 5%")});
  s.seconds_of(4, 100, 50);
  s.judged.cutover(story::at(0.5));
  s.seconds_of(2, 100, 50);
  CHECK(s.judged.verdict_of(0) == verdict::breached);
  CHECK_FALSE(s.judged.not_this_release(0, story::at(s.now)));
}

TEST_CASE("what_was_true_at_the_cutover_and_is_still_when_that_is_learnt_of_is_not_this_release") {
  story s({rollback_rule("traffic.error_rate over 10s > 5%")});
  s.seconds_of(8, 100, 50);
  s.judged.cutover(story::at(5));
  CHECK(s.judged.not_this_release(0, story::at(s.now)));
}

TEST_CASE("what_was_true_before_the_cutover_is_not_this_release") {
  story s({rollback_rule("traffic.error_rate over 5s > 5%")});
  s.seconds_of(3, 100, 50);
  s.seconds_of(290, 100, 0);
  s.judged.cutover(story::at(s.now));
  s.seconds_of(2, 100, 50);
  CHECK(s.log.back() == "294.0 r unknown to breached (not this release)");
  s.seconds_of(310, 100, 0);
  s.judged.cutover(story::at(s.now));
  s.second(100, 50);
  CHECK(s.log.back() == "606.0 r unknown to breached");
}

TEST_CASE("after_holds_a_breach_back_until_its_time_since_the_cutover") {
  rule_source r = rollback_rule("traffic.error_rate over 5s > 5%");
  r.after = seconds(10);
  story s({r});
  s.second(100, 0);
  s.judged.cutover(story::at(1));
  s.seconds_of(12, 100, 50);
  CHECK(told(s) == lines{"1.0 r unknown to ok", "2.0 r ok to unknown", "2.0 r unknown to pending", "11.0 r pending to breached"}.text);
}

TEST_CASE("blindness_in_the_window_is_said_once") {
  story s({rollback_rule("traffic.error_rate over 60s > 5%")});
  s.judged.window(true);
  s.seconds_of(300, 0, 0);
  CHECK(told(s) == lines{"121.0 r blind"}.text);
}

TEST_CASE("a_rule_on_a_probes_own_failures_does_not_see_for_those_on_the_traffic") {
  catalogue signals = traffic_signals();
  signals.add({"redis.failure_ratio", signal_kind::ratio, unit::ratio, seconds(15), 0, "redis.failure_ratio"});
  rule_source redis = rollback_rule("redis.failure_ratio over 10s > 50%");
  redis.name = "redis";
  story s({rollback_rule("traffic.error_rate over 60s > 5%"), redis}, signals);
  s.judged.window(true);
  for (int i = 0; i < 300; ++i) {
    s.judged.add(*s.judged.series_named("redis.failure_ratio"), {story::at(s.now), story::at(s.now + 1), pooled{0, 1}, false});
    s.second(0, 0);
  }
  CHECK(told(s) == lines{"1.0 redis unknown to ok", "121.0 r blind"}.text);
}

TEST_CASE("unknown_and_false_is_false_so_one_dead_signal_does_not_hide_the_other") {
  story s({rollback_rule("traffic.error_rate over 10s > 5% and stable.up == 1")});
  s.seconds_of(2, 100, 0);
  s.seconds_of(2, 100, 50);
  CHECK(told(s) == lines{"1.0 r unknown to ok", "3.0 r ok to unknown"}.text);
}

TEST_CASE("a_reload_keeps_the_state_of_rules_that_did_not_change") {
  rule_source r = rollback_rule("traffic.error_rate over 10s > 5%");
  r.lasting = seconds(5);
  story before({r});
  before.seconds_of(3, 100, 50);
  story after({r});
  after.judged.adopt(std::move(before.judged));
  after.now = 3;
  after.seconds_of(4, 100, 50);
  CHECK(told(after) == lines{"6.0 r pending to breached"}.text);
}

TEST_CASE("a_window_that_a_reload_makes_longer_than_any_before_is_not_full_with_what_the_shorter_one_kept") {
  rule_source r = rollback_rule("traffic.error_rate over 10s > 5%");
  r.partial = false;
  story before({r});
  before.seconds_of(200, 100, 50);
  REQUIRE(before.judged.verdict_of(0) == verdict::breached);
  r.when.text = "traffic.error_rate over 60s > 5%";
  story after({r});
  after.judged.adopt(std::move(before.judged));
  after.now = before.now;
  after.seconds_of(30, 100, 50);
  CHECK(after.judged.verdict_of(0) == verdict::unknown);
  CHECK(after.judged.explain(0, story::at(after.now)).says == "traffic.error_rate over 1m is filling, for 20s more");
  after.seconds_of(30, 100, 50);
  CHECK(after.judged.verdict_of(0) == verdict::breached);
}

TEST_CASE("the_same_samples_give_the_same_changes") {
  const auto once = [] {
    rule_source r = rollback_rule("traffic.error_rate over 7s > 5%");
    r.lasting = seconds(2);
    story s({r});
    for (int i = 0; i < 500; ++i) s.second(i * 7919 % 101, i / 10 % 2 * 50);
    return s.log;
  };
  CHECK(once() == once());
  CHECK(once().size() > 3);
}

TEST_CASE("a_window_that_is_not_full_says_nothing_unless_the_rule_says_so") {
  rule_source whole = rollback_rule("traffic.error_rate over 10s > 5%");
  whole.partial = false;
  rule_source partial = rollback_rule("traffic.error_rate over 10s > 5%");
  partial.name = "partial";
  story s({whole, partial});
  s.seconds_of(5, 100, 0);
  s.judged.cutover(story::at(5));
  s.seconds_of(9, 100, 50);
  CHECK(s.judged.verdict_of(0) == verdict::unknown);
  CHECK(s.judged.explain(0, story::at(14)).says == "traffic.error_rate over 10s is filling, for 1s more");
  CHECK(s.judged.verdict_of(1) == verdict::breached);
  s.second(100, 50);
  CHECK(s.judged.verdict_of(0) == verdict::breached);
}

TEST_CASE("built_ins_without_their_signals_or_a_deployment_are_off_and_say_why") {
  const auto watching = with_built_ins({}, traffic_signals(), false);
  CHECK(std::ranges::none_of(watching.on, [](const rule_source& r) { return r.then == consequence::rollback; }));
  CHECK(std::ranges::any_of(
      watching.off, [](const switched_off& o) { return o.name == "error-burn" && o.why == "there is no [deployment] to roll back"; }));
  CHECK(std::ranges::any_of(
      watching.off, [](const switched_off& o) { return o.name == "redis-memory" && o.why == "no probe gives redis.memory_used_ratio"; }));
}

TEST_CASE("with_postgres_down_for_both_the_action_is_withheld_and_not_the_verdict_but_a_release_that_exhausts_it_goes") {
  // A server without a free connection answers, and is reachable: the release that took them all is to go.
  for (const auto& [reachable, withheld] : {std::pair{0.0, truth::yes}, {1.0, truth::no}}) {
    rule_source r = rollback_rule("traffic.error_rate over 10s > 5%");
    r.unless.text = "postgres.reachable == 0";
    story s({r});
    s.judged.add(*s.judged.series_named("postgres.reachable"), {s.at(0.5), s.at(0.5), reachable, false});
    s.seconds_of(5, 100, 50);
    CHECK(s.judged.verdict_of(0) == verdict::breached);
    CHECK(s.judged.withheld(0, s.at(s.now)).is == withheld);
  }
}

TEST_CASE("how_much_there_must_be_is_asked_of_when_alone") {
  rule_source r = rollback_rule("traffic.error_rate over 10s > 5%");
  r.until.text = "traffic.error_rate over 1m < 4%";
  r.min_errors = 30;
  story s({r});
  s.seconds_of(40, 10, 1);  // 30 errors in 30 s, and never in 10
  CHECK(s.judged.verdict_of(0) == verdict::ok);
  s.seconds_of(10, 10, 5);
  CHECK(s.judged.verdict_of(0) == verdict::breached);
  s.seconds_of(90, 10, 0);  // an end without errors is an end
  CHECK(s.judged.verdict_of(0) == verdict::ok);
}

TEST_CASE("a_breach_ends_once_for_each_begin_however_near_its_end_lies") {
  rule_source r = rollback_rule("traffic.error_rate over 10s > 5%");
  r.until.text = "traffic.error_rate over 20s < 6%";
  story s({r});
  for (int i = 0; i < 600; ++i) s.second(100, i % 20 < 10 ? 8 : 0);
  CHECK(s.log.size() < 140);
  for (std::size_t i = 1; i < s.log.size(); ++i) CHECK(s.log[i] != s.log[i - 1]);
}
