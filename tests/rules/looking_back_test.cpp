#include "rules/built_in.hpp"
#include "tests/rules/story.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

using namespace flipback;
using namespace flipback::rules;
using namespace flipback::rules::story_telling;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("what_was_before_a_cutover_is_compared_with_for_an_hour_and_no_longer") {
  rule_source r = rollback_rule("traffic.error_rate over 10s > 3 * before(traffic.error_rate over 10s)");
  r.then = consequence::alert;
  story s({r});
  s.seconds_of(20, 100, 2);
  CHECK(s.judged.explain(0, s.at(s.now)).says == "there has been no cutover yet");
  s.seconds_of(2, 100, 90);  // after the cutover, which is noticed late
  s.judged.cutover(s.at(20));
  s.seconds_of(10, 100, 5);
  s.seconds_of(5, 100, 9);
  CHECK(told(s) == lines{"23.0 r unknown to breached", "32.0 r breached to ok", "35.0 r ok to breached"}.text);
  s.seconds_of(3583, 100, 9);
  CHECK(s.judged.verdict_of(0) == verdict::breached);
  s.second(100, 9);  // an hour and a second
  CHECK(s.log.back() == "3621.0 r breached to ok");
  CHECK(s.judged.explain(0, s.at(s.now)).says == "the cutover was more than 1h ago");
}

TEST_CASE("what_a_release_did_that_was_rolled_back_is_nothing_to_look_back_to") {
  rule_source r = rollback_rule("traffic.error_rate over 10s > 3 * before(traffic.error_rate over 10s)");
  r.then = consequence::alert;
  story s({r});
  s.seconds_of(20, 100, 2);
  s.judged.cutover(s.at(20));
  s.seconds_of(20, 100, 50);
  s.judged.cutover(s.at(40), true);
  s.seconds_of(12, 100, 9);
  CHECK(s.judged.explain(0, s.at(s.now)).says == "traffic.error_rate over 10s is 9% (90 of 1,000), the limit is > 6%");
}

TEST_CASE("what_was_before_a_cutover_outlives_a_reload") {
  rule_source r = rollback_rule("count(traffic.error_rate over 10s) < before(count(traffic.error_rate over 10s)) / 2");
  story s({r});
  s.seconds_of(20, 100, 0);
  s.judged.cutover(s.at(20));
  settings::diagnostics problems;
  engine next(compile(std::vector{r}, traffic_signals(), problems));
  next.adopt(std::move(s.judged));
  s.judged = std::move(next);
  s.seconds_of(12, 10, 0);
  CHECK(s.judged.verdict_of(0) == verdict::breached);
  CHECK(s.judged.explain(0, s.at(s.now)).says == "count(traffic.error_rate over 10s) is 100, the limit is < 500");
}

TEST_CASE("users_who_stay_away_after_a_cutover_are_said_though_nothing_fails") {
  catalogue signals = traffic_signals();
  signals.add({"traffic.up", signal_kind::outcome, unit::number, seconds(3), 0, "traffic.up"});
  const auto fires_after = [&](double requests) -> double {
    settings::diagnostics problems;
    const rule_set set = with_built_ins({}, signals, true);
    engine judged(compile(set.on, signals, problems));
    const auto number = static_cast<std::size_t>(std::ranges::find(set.on, "traffic-drop", &rule_source::name) - set.on.begin());
    for (double now = 1; now <= 1500; ++now) {
      const double came = now <= 600 ? 10 : requests;
      judged.add(*judged.series_named("traffic.error_rate"), {story::at(now - 1), story::at(now), pooled{0, came}, came == 0});
      judged.add(*judged.series_named("traffic.up"), {story::at(now), story::at(now), 1.0, false});
      judged.settle(story::at(now));
      if (now == 601) judged.cutover(story::at(600));
      if (judged.verdict_of(number) == verdict::breached) return now - 600;
    }
    return 0;
  };
  CHECK(fires_after(0) == 451);  // below a half after 151 s, and so for 5 min
  CHECK(fires_after(6) == 0);
}

TEST_CASE("explain_tells_a_new_sample_from_one_that_tells_anything") {
  story s({rollback_rule("traffic.error_rate over 1m > 5%")});
  const auto of_signal = [&] { return s.judged.explanation(0, s.at(s.now + 0.4)).when.at(1).says; };
  s.seconds_of(3, 0, 0);
  CHECK(of_signal() == "0 of 0, newest sample 400ms ago, none yet that tells anything");
  s.seconds_of(5, 100, 20);
  CHECK(of_signal() == "100 of 500, newest sample 400ms ago");
  s.seconds_of(20, 0, 0);
  CHECK(of_signal() == "100 of 500, newest sample 400ms ago, the newest that tells anything 20s ago, stale: the limit is 15s");
  CHECK(s.judged.explanation(0, s.at(s.now + 0.4)).when.at(0).says ==
        "traffic.error_rate over 1m has recent samples, and none that tells anything");
}

TEST_CASE("explain_says_all_that_a_verdict_rests_on") {
  rule_source r = rollback_rule("traffic.error_rate over 10s > 5% and not (traffic.p95 over 10s > 1s or stable.up == 0)");
  r.until = {"traffic.error_rate over 10s < 2%", {}};
  r.lasting = seconds(30);
  r.min_samples = 50;
  story s({r});
  s.seconds_of(5, 100, 20);
  const rule_explanation now = s.judged.explanation(0, s.at(s.now + 0.4));
  std::string all;
  for (const explanation_row& row : now.when) all += fmt::format("{}{}|{}|{}\n", std::string(row.depth, ' '), row.text, row.is, row.says);
  CHECK(all ==
        "and|unknown|\n"
        " traffic.error_rate over 10s > 5%|true|\n"
        "  traffic.error_rate over 10s|20%|100 of 500, newest sample 400ms ago\n"
        " not|unknown|\n"
        "  or|unknown|\n"
        "   traffic.p95 over 10s > 1s|unknown|0 of 50 requests for traffic.p95\n"
        "    traffic.p95 over 10s|unknown|0 requests, no sample yet\n"
        "   stable.up == 0|unknown|stable.up has no recent sample\n"
        "    stable.up|unknown|no sample yet\n");
  CHECK(now.is == verdict::unknown);
  CHECK(now.until.front().text == "traffic.error_rate over 10s < 2%");
  CHECK(now.until.front().is == "false");
  CHECK(now.unless.empty());
}

TEST_CASE("a_release_that_was_rolled_back_is_no_before_of_the_next") {
  story s({rollback_rule("worse(traffic.error_rate over 10s)")});
  s.seconds_of(60, 100, 1);
  s.judged.cutover(s.at(60));
  s.seconds_of(60, 100, 50);
  s.judged.cutover(s.at(120), true);
  s.seconds_of(60, 100, 1);
  s.judged.cutover(s.at(180));
  s.seconds_of(20, 100, 10);
  CHECK(s.judged.explain(0, s.at(s.now)).is == truth::yes);
}

TEST_CASE("what_came_before_both_slots_were_asked_is_not_above_the_limit_since") {
  story s({rollback_rule("traffic.error_rate over 100s > 5%")});
  s.judged.cutover(s.at(0));
  s.seconds_of(30, 100, 50);
  s.seconds_of(10, 100, 0);
  CHECK(s.judged.above_since(0, s.at(30), s.at(s.now)) == truth::unknown);
  s.seconds_of(21, 100, 50);
  CHECK(s.judged.above_since(0, s.at(40), s.at(s.now)) == truth::yes);
}
