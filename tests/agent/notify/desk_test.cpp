#include "agent/notify/desk.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

using namespace flipback;
using namespace flipback::notify;
using namespace std::chrono_literals;

namespace {

/// Events come, time goes by, and letters are written.
struct office {
  desk at;
  moment now{instant(1000s), wall_time(1795762000s)};
  std::string incident;
  std::vector<letter> written;

  void tell(event e) {
    if (!incident.empty()) e.with("incident", incident);
    at.take(e, now);
  }
  /// So long, as whoever asks when something is due.
  void pass(duration time) {
    const instant end = now.at + time;
    for (;;) {
      const auto next = at.next();
      if (!next || *next > end) break;
      go_to(std::max(*next, now.at));
      for (letter& l : at.due(now)) written.push_back(std::move(l));
    }
    go_to(end);
  }
  void go_to(instant when) {
    now.wall += std::chrono::duration_cast<wall_time::duration>(when - now.at);
    now.at = when;
  }
  void verdict(const std::string& rule, const std::string& to, const std::string& then = "rollback", severity how = severity::critical) {
    event e{"verdict.changed", how, rule + " is " + to, {}};
    tell(e.with("rule", rule).with("to", to).with("then", then));
  }
  void of(const std::string& kind, severity how = severity::warning) { tell({kind, how, "says " + kind, {}}); }
  void begin_incident(const std::string& id = "20261127T090411.791Z") {
    incident = id;
    of("incident.began", severity::info);
    verdict("error-rate", "pending");
  }
  void end_incident() {
    of("incident.ended", severity::info);
    incident.clear();
  }
  std::vector<letter> take() { return std::exchange(written, {}); }
  /// One letter; or one whose matter says what came instead.
  letter one() {
    const auto all = take();
    letter none;
    none.matter = std::to_string(all.size()) + " letters";
    return all.size() == 1 ? all.front() : none;
  }
  /// The next life, with what was kept on disk, and what was put on record.
  void restart(duration away, const std::vector<incident::happening>& record = {}) {
    const auto kept = at.kept(now);
    go_to(now.at + away);
    at = {};
    at.restore(kept, now);
    for (const auto& h : record) at.recall(h, now);
  }
};

incident::happening recorded(const office& o, const std::string& kind, const std::string& id = "20261127T090411.791Z") {
  event e{kind, severity::warning, "says " + kind, {}};
  return {o.now.wall, e.with("incident", id)};
}

}  // namespace

TEST_CASE("a_breach_its_decision_and_its_proof_are_one_letter") {
  office o;
  o.begin_incident();
  o.pass(5min);
  CHECK(o.take().empty());  // pending is nothing to be woken for
  o.verdict("error-rate", "breached");
  o.of("rollback.decided");
  event closed{"rollback.closed", severity::warning, "users reach blue", {}};
  o.tell(closed.with("outcome", std::string("rolled back")));
  o.end_incident();
  o.pass(1min);
  std::erase_if(o.written, [](const letter& l) { return l.about == subject::cutover; });
  const letter told = o.one();
  CHECK(told.matter == "20261127T090411.791Z");
  CHECK(told.at == stage::ended);
  CHECK(told.severity == severity::critical);  // it is the first that anybody hears of it
  CHECK(told.title.contains("rolled back"));
  CHECK(told.title.contains("error-rate is breached"));
  CHECK(told.stands.contains("users reach blue"));
  CHECK_FALSE(o.at.next());
}

TEST_CASE("what_was_over_before_it_was_a_breach_is_told_to_nobody") {
  office o;
  o.begin_incident();
  o.pass(3min);
  o.end_incident();
  o.pass(1h);
  CHECK(o.take().empty());
}

TEST_CASE("an_incident_is_told_at_its_breach_with_each_transition_and_at_its_end") {
  office o;
  o.begin_incident();
  o.verdict("error-rate", "breached");
  o.of("rollback.blocked");
  o.pass(2s);
  letter told = o.one();
  CHECK(told.at == stage::begun);
  CHECK(told.number == 1);
  CHECK(told.severity == severity::critical);
  o.of("rollback.waiting");
  o.of("rollback.blocked");
  o.pass(20s);
  CHECK(o.take().empty());  // that can wait
  o.pass(20s);
  told = o.one();
  CHECK(told.at == stage::changed);
  CHECK(told.number == 2);
  o.of("rollback.asked");
  o.pass(2s);
  CHECK(o.one().number == 3);  // that can't: somebody is asked
  o.pass(3min);
  CHECK(o.take().empty());
  o.end_incident();
  o.pass(2s);
  told = o.one();
  CHECK(told.at == stage::ended);
  CHECK(told.severity == severity::info);
  CHECK(told.id() == "20261127T090411.791Z/4");
  CHECK(told.title.starts_with("over after 3m"));
}

TEST_CASE("nobody_acknowledges_so_the_next_level_is_told_and_then_all_are_reminded") {
  office o;
  o.begin_incident();
  o.verdict("error-rate", "breached");
  o.pass(2s);
  CHECK(o.one().level == 1);
  o.pass(14min + 55s);
  CHECK(o.take().empty());
  o.pass(10s);
  letter told = o.one();
  CHECK(told.level == 2);
  CHECK(told.reminds);
  o.pass(30min);
  CHECK(o.one().level == 3);
  o.pass(59min);
  CHECK(o.take().empty());
  o.pass(1min);
  told = o.one();
  CHECK(told.level == 3);
  CHECK(told.reminds);
}

TEST_CASE("an_acknowledgement_is_told_and_ends_escalation_and_reminders_until_the_incident_is_over") {
  office o;
  o.begin_incident();
  CHECK(o.at.awaits_acknowledgement() == "");
  o.verdict("error-rate", "breached");
  o.pass(2s);
  CHECK(o.at.awaits_acknowledgement() != "");
  o.take();
  o.of("incident.acknowledged", severity::info);
  CHECK(o.at.awaits_acknowledgement() == "");
  o.pass(1min);
  CHECK(o.one().acknowledged == "says incident.acknowledged");
  o.pass(5h);
  CHECK(o.take().empty());
  o.end_incident();
  o.begin_incident("20261127T150000.000Z");
  o.verdict("error-rate", "breached");
  o.pass(2s);
  const auto told = o.take();
  REQUIRE(told.size() == 2);
  CHECK(told.front().at == stage::ended);  // however soon the next one begins
  CHECK(told.back().acknowledged.empty());
  CHECK(o.at.awaits_acknowledgement() != "");
}

TEST_CASE("a_letter_says_what_is_live_what_is_ill_whose_it_is_and_how_to_have_it") {
  office o;
  o.at.use({{}, {}, "", "web-1"});
  event baseline{"deployment.baseline", severity::info, "green with 1.5 is live", {}};
  o.tell(baseline.with("live", std::string("green")).with("release", std::string("1.5")));
  event ill{"probe.changed", severity::warning, "redis: refused", {}};
  o.tell(ill.with("probe", std::string("redis")).with("outcome", std::string("fail")));
  o.begin_incident();
  event breach{"verdict.changed", severity::critical, "error-rate: ok → breached: the rate is 12%, the limit is > 5%", {}};
  o.tell(breach.with("rule", std::string("error-rate")).with("to", std::string("breached")).with("then", std::string("rollback")));
  o.of("rollback.waiting");
  o.pass(2s);
  letter told = o.one();
  CHECK(told.title == "web-1: error-rate is breached: the rate is 12%, the limit is > 5%");
  CHECK(told.stands == "green with 1.5 is live; says rollback.waiting");
  CHECK(told.ill == std::vector<std::string>{"redis: refused"});
  CHECK(told.type.contains("`flipback ack --reason TEXT`"));
  CHECK(std::ranges::none_of(told.news, [](const auto& n) { return n.says == "says incident.began"; }));
  o.of("incident.acknowledged", severity::info);
  o.pass(2s);
  CHECK_FALSE(o.one().type.contains("flipback ack"));
}

TEST_CASE("without_a_reminder_nobody_is_reminded") {
  office o;
  o.at.use({{}, {}, ""});
  o.begin_incident();
  o.verdict("error-rate", "breached");
  o.pass(24h);
  CHECK(o.take().size() == 1);
}

TEST_CASE("rules_that_alert_at_one_time_are_one_matter_that_ends_with_the_last_of_them") {
  office o;
  for (const auto* rule : {"postgres-down", "keycloak-down", "airflow-down"}) {
    o.verdict(rule, "breached", "alert", severity::warning);
    o.pass(2s);
  }
  CHECK(o.take().empty());
  o.pass(10s);
  letter told = o.one();
  CHECK(told.about == subject::alerts);
  CHECK(told.at == stage::begun);
  CHECK(told.severity == severity::warning);
  CHECK(told.title == "3 rules are breached: airflow-down, keycloak-down, postgres-down");
  CHECK(told.ill.size() == 3);
  o.verdict("redis-down", "breached", "alert", severity::critical);
  o.pass(1min);
  CHECK(o.one().severity == severity::critical);
  for (const auto* rule : {"postgres-down", "keycloak-down", "airflow-down", "redis-down"})
    o.verdict(rule, "ok", "alert", severity::warning);
  o.pass(20s);
  CHECK(o.take().empty());
  o.verdict("redis-down", "breached", "alert", severity::critical);  // it flaps: it is not over
  o.pass(5s);
  o.verdict("redis-down", "ok", "alert", severity::warning);
  o.pass(40s);
  const auto all = o.take();
  REQUIRE_FALSE(all.empty());
  CHECK(all.back().at == stage::ended);
  CHECK(std::ranges::count(all, stage::ended, &letter::at) == 1);
  CHECK_FALSE(o.at.next());
}

TEST_CASE("an_alert_that_is_over_in_a_moment_and_one_of_no_weight_are_told_to_nobody") {
  office o;
  o.verdict("redis-down", "breached", "alert", severity::warning);
  o.pass(5s);
  o.verdict("redis-down", "ok", "alert", severity::warning);
  o.verdict("curious", "breached", "alert", severity::info);
  o.pass(10min);
  CHECK(o.take().empty());
}

TEST_CASE("an_alert_that_flaps_is_told_all_the_same") {
  for (const auto& [down, up] : {std::pair(8500ms, 900ms), std::pair(1500ms, 1500ms)}) {
    office o;
    for (int i = 0; i < 10; ++i) {
      o.verdict("redis-down", "breached", "alert", severity::critical);
      o.pass(down);
      o.verdict("redis-down", "ok", "alert", severity::warning);
      o.pass(up);
    }
    const auto all = o.take();
    REQUIRE_FALSE(all.empty());
    CHECK(all.front().title == "redis-down is breached");
    CHECK(std::ranges::count(all, stage::ended, &letter::at) == 0);
    o.pass(2min);
    CHECK(o.take().back().at == stage::ended);
  }
}

TEST_CASE("alerts_escalate_where_one_of_them_is_critical_and_only_then") {
  for (const auto how : {severity::warning, severity::critical}) {
    CAPTURE(name_of(how));
    office o;
    o.verdict("redis-down", "breached", "alert", how);
    o.pass(20min);
    CHECK(o.take().size() == (how == severity::critical ? 2 : 1));
  }
}

TEST_CASE("while_an_incident_is_open_alerts_are_part_of_it_and_a_matter_of_their_own_once_it_is_over") {
  office o;
  o.begin_incident();
  o.verdict("error-rate", "breached");
  o.pass(2s);
  o.take();
  o.verdict("redis-down", "breached", "alert", severity::warning);
  o.pass(1min);
  letter told = o.one();
  CHECK(told.about == subject::incident);
  CHECK(std::ranges::count(told.ill, std::string("redis-down is breached")) == 1);
  o.end_incident();
  o.pass(1min);
  const auto all = o.take();
  REQUIRE(all.size() == 2);
  CHECK(all[0].at == stage::ended);
  CHECK(all[1].about == subject::alerts);
}

TEST_CASE("a_rule_that_is_only_pending_silences_nothing") {
  office o;
  o.begin_incident();
  o.verdict("error-rate", "unknown", "rollback", severity::info);
  o.verdict("disk-full", "breached", "alert", severity::critical);
  o.of("rule.blind", severity::critical);
  o.of("config.rejected", severity::critical);
  o.of("rollback.no_room", severity::warning);  // of the incident
  o.pass(1min);
  const auto all = o.take();
  REQUIRE(all.size() == 4);
  CHECK(std::ranges::count(all, subject::notice, &letter::about) == 2);
  CHECK(std::ranges::count(all, subject::alerts, &letter::about) == 1);
}

TEST_CASE("an_acknowledgement_of_something_else_tells_of_no_incident_and_acknowledges_none") {
  office o;
  o.verdict("disk-full", "breached", "alert", severity::critical);
  o.pass(1min);
  o.take();
  o.begin_incident();
  o.of("incident.acknowledged", severity::info);
  o.pass(1min);
  CHECK(o.one().about == subject::alerts);
  o.verdict("error-rate", "breached");
  o.pass(16min);
  const auto all = o.take();
  REQUIRE_FALSE(all.empty());
  CHECK(all.back().level == 2);
  CHECK(all.back().acknowledged.empty());
}

TEST_CASE("an_alert_that_becomes_critical_after_an_acknowledgement_escalates_all_the_same") {
  office o;
  o.verdict("disk-80", "breached", "alert", severity::warning);
  o.pass(1min);
  o.of("incident.acknowledged", severity::info);
  o.pass(1min);
  o.take();
  o.verdict("disk-full", "breached", "alert", severity::critical);
  CHECK(o.at.awaits_acknowledgement() != "");
  o.pass(16min);
  const auto all = o.take();
  REQUIRE(all.size() == 2);
  CHECK(all.back().level == 2);
}

TEST_CASE("an_incident_whose_end_is_on_no_record_ends_with_the_next_one") {
  office o;
  o.begin_incident();
  o.verdict("error-rate", "breached");
  o.pass(2s);
  o.take();
  o.begin_incident("20261127T150000.000Z");
  o.verdict("error-rate", "breached");
  o.pass(2s);
  const auto all = o.take();
  REQUIRE(all.size() == 2);
  CHECK(all.front().at == stage::ended);
  CHECK(all.front().matter == "20261127T090411.791Z");
}

TEST_CASE("a_notice_is_not_told_again_by_each_restart") {
  office o;
  o.of("agent.note");
  o.pass(1s);
  CHECK(o.take().size() == 1);
  o.restart(5s);
  o.of("agent.note");
  o.pass(1s);
  CHECK(o.take().empty());
}

TEST_CASE("a_notice_is_told_once_in_six_hours_and_not_ten_times_an_hour") {
  office o;
  o.of("deployment.not_ready", severity::critical);
  o.of("deployment.not_ready", severity::critical);
  o.pass(1s);
  CHECK(o.one().about == subject::notice);
  o.pass(7h);
  o.of("deployment.not_ready", severity::critical);
  o.pass(1s);
  CHECK(o.take().size() == 1);
  for (int i = 0; i < 20; ++i) o.tell({"config.rejected", severity::warning, "mistake " + std::to_string(i), {}});
  o.pass(1s);
  CHECK(o.take().size() == 9);
  o.pass(61min);
  o.tell({"config.rejected", severity::warning, "another", {}});
  o.pass(1s);
  CHECK(o.one().ill.front().starts_with("11 more were not told"));
  o.of("deployment.window", severity::info);
  o.of("notify.failed", severity::critical);  // nobody is told by a target that it fails
  o.pass(1s);
  CHECK(o.take().empty());
}

TEST_CASE("a_cutover_and_a_rollback_are_told_as_what_is_live_and_what_was") {
  office o;
  event cutover{"deployment.cutover", severity::info, "users now reach green with 1.5, before that blue with 1.4", {}};
  cutover.with("live", std::string("green")).with("release", std::string("1.5")).with("stable", std::string("blue"));
  cutover.with("stable_release", std::string("1.4")).with("previous", std::string("blue")).with("previous_release", std::string("1.4"));
  o.tell(cutover);
  o.pass(0s);
  letter told = o.one();
  CHECK(told.about == subject::cutover);
  CHECK(told.live == "green");
  CHECK(told.release == "1.5");
  CHECK(told.previous_release == "1.4");
  CHECK_FALSE(told.by_flipback);
  o.begin_incident();
  o.verdict("error-rate", "breached");
  event decided{"rollback.decided", severity::critical, "rolling back", {}};
  o.tell(decided);
  event closed{"rollback.closed", severity::warning, "users reach blue", {}};
  closed.with("outcome", std::string("rolled back")).with("reached", std::string("blue")).with("release", std::string("1.4"));
  o.tell(closed.with("previous", std::string("green")).with("previous_release", std::string("1.5")));
  o.pass(0s);
  told = o.one();
  CHECK(told.by_flipback);
  CHECK(told.live == "blue");
  CHECK(told.release == "1.4");
  CHECK(told.previous == "green");
  CHECK(told.previous_release == "1.5");
}

TEST_CASE("after_a_restart_an_incident_goes_on_with_its_numbers_its_level_and_its_acknowledgement") {
  office o;
  o.begin_incident();
  o.verdict("error-rate", "breached");
  o.pass(16min);
  REQUIRE(o.take().back().level == 2);
  o.restart(5s, {recorded(o, "incident.began"), recorded(o, "rollback.blocked")});
  o.at.settle(true, {}, o.now);
  o.pass(1min);
  CHECK(o.take().empty());  // it was told before
  CHECK(o.at.awaits_acknowledgement() != "");
  o.pass(30min);
  letter told = o.one();
  CHECK(told.level == 3);
  CHECK(told.number == 3);
  o.of("incident.acknowledged", severity::info);
  o.pass(2s);
  o.take();
  o.restart(5s, {recorded(o, "incident.began")});
  CHECK(o.at.awaits_acknowledgement() == "");
  o.at.settle(true, {}, o.now);
  o.pass(5h);
  CHECK(o.take().empty());
}

TEST_CASE("what_was_not_told_before_a_kill_is_told_after_it") {
  office o;
  o.begin_incident();
  o.verdict("error-rate", "breached");  // and the agent is killed before the letter is written
  SUBCASE("the desk was kept") {
    o.restart(2s, {recorded(o, "incident.began")});
  }
  SUBCASE("the desk was not kept, but the record was") {
    office next;
    next.now = o.now;
    next.at.recall(recorded(o, "incident.began"), next.now);
    next.at.recall(recorded(o, "rollback.decided"), next.now);
    o.at = std::move(next.at);
  }
  o.at.settle(true, {}, o.now);
  o.pass(2s);
  CHECK(o.one().number == 1);
}

TEST_CASE("an_incident_that_ended_while_nobody_watched_is_told_to_its_end") {
  office o;
  o.begin_incident();
  o.verdict("error-rate", "breached");
  o.pass(2s);
  o.take();
  SUBCASE("its end is on record") {
    o.restart(1min, {recorded(o, "incident.began"), recorded(o, "incident.ended")});
  }
  SUBCASE("nothing is on record") {
    o.restart(1min);
  }
  o.at.settle(false, {}, o.now);
  o.pass(2s);
  CHECK(o.one().at == stage::ended);
}

TEST_CASE("alerts_outlast_a_restart_and_end_where_their_rule_is_gone_or_well") {
  office o;
  o.verdict("redis-down", "breached", "alert", severity::warning);
  o.pass(1min);
  const std::string matter = o.one().matter;
  o.restart(5s);
  SUBCASE("the rule is gone") {
    o.at.settle(false, {}, o.now);
  }
  SUBCASE("the rule is well") {
    o.at.settle(false, {"redis-down"}, o.now);
    o.pass(10min);
    CHECK(o.take().empty());
    o.verdict("redis-down", "ok", "alert", severity::debug);
  }
  o.pass(1min);
  const letter told = o.one();
  CHECK(told.at == stage::ended);
  CHECK(told.matter == matter);
}

TEST_CASE("what_was_kept_by_another_program_is_left_out") {
  for (const auto* text : {R"({"incident":7,"alerts":[]})", R"({"incident":{"id":"x"},"breached":[1,{"rule":2,"says":3,"critical":4}]})"}) {
    office o;
    o.at.restore(boost::json::parse(text).as_object(), o.now);
    CHECK_FALSE(o.at.next());
    CHECK(o.at.incident().empty());
  }
}

TEST_CASE("what_is_told_late_of_an_incident_that_is_over_closes_no_other_and_is_a_notice_where_it_is_bad") {
  office o;
  o.begin_incident("20261127T150000.000Z");
  o.verdict("error-rate", "breached");
  o.pass(2s);
  o.take();
  event late{"deployment.helped", severity::critical, "the rollback did not help", {}};
  o.at.take(late.with("incident", std::string("20261127T140000.000Z")).with("outcome", std::string("did not help")), o.now);
  o.pass(2s);
  const auto told = o.one();
  CHECK(told.about == subject::notice);
  CHECK(told.title.contains("did not help"));
  CHECK(o.at.incident() == "20261127T150000.000Z");
  CHECK(o.at.awaits_acknowledgement() == "incident 20261127T150000.000Z");
}

TEST_CASE("what_is_told_late_of_an_incident_opens_none") {
  office o;
  event late{"deployment.helped", severity::info, "the rollback helped", {}};
  o.at.take(late.with("incident", std::string("20261127T140000.000Z")), o.now);
  o.pass(1min);
  CHECK(o.take().empty());
  CHECK(o.at.incident() == "");
}

TEST_CASE("news_postpones_no_escalation") {
  office o;
  o.begin_incident();
  o.verdict("error-rate", "breached");
  for (int i = 0; i < 7; ++i) {
    o.pass(2min);
    o.of("rollback.blocked");
  }
  o.pass(30s);
  CHECK(o.take().back().level == 1);
  o.pass(1min);
  CHECK(o.one().level == 2);  // 15 minutes after the first letter
}

TEST_CASE("a_letter_is_bounded_whatever_is_ill_and_whatever_has_happened") {
  office o;
  for (int i = 0; i < 100; ++i) {
    event ill{"probe.changed", severity::warning, "ill " + std::to_string(i), {}};
    o.tell(ill.with("probe", std::to_string(i)).with("outcome", std::string("fail")));
  }
  o.begin_incident();
  o.pass(1min);
  for (int i = 0; i < 3000; ++i) o.of("probe.changed");
  o.verdict("error-rate", "breached");
  for (int i = 0; i < 3000; ++i) o.of("rollback.waiting");
  o.pass(2s);
  const letter told = o.one();
  CHECK(told.began == wall_time(1795762000s));
  CHECK(told.ill.size() == desk::most_ill + 1);
  CHECK(told.ill.back().starts_with("and "));
  CHECK(told.news.size() == desk::most_news);
}

TEST_CASE("a_notice_for_which_there_was_no_room_is_told_once_there_is") {
  office o;
  for (std::size_t i = 0; i <= notices::most_an_hour; ++i)
    o.tell({"config.rejected", severity::warning, "mistake " + std::to_string(i), {}});
  o.pass(1s);
  CHECK(o.take().size() == notices::most_an_hour);
  o.pass(61min);
  o.tell({"config.rejected", severity::warning, "mistake " + std::to_string(notices::most_an_hour), {}});
  o.pass(1s);
  CHECK(o.take().size() == 1);
}

TEST_CASE("a_restart_tells_nothing_again") {
  office o;
  o.begin_incident();
  o.verdict("error-rate", "breached");
  o.pass(2s);
  CHECK(o.take().size() == 1);
  for (int i = 0; i < 3; ++i) {
    o.restart(5s, {recorded(o, "incident.began"), recorded(o, "rollback.decided")});
    o.at.settle(true, {}, o.now);
    o.pass(5s);
  }
  CHECK(o.take().empty());
}
