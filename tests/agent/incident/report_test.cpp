#include "agent/incident/report.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace flipback;
using namespace std::chrono_literals;
using namespace flipback::incident;

namespace {

const wall_time noon{std::chrono::seconds(1'700'000'000)};

/// An incident, a second between its events.
struct story {
  std::vector<happening> all;

  story& add(std::string kind, std::string says, std::vector<std::pair<std::string, event::value>> fields = {}) {
    event e{std::move(kind), severity::warning, std::move(says), std::move(fields)};
    all.push_back({noon + all.size() * 1s, e.with("incident", std::string("id"))});
    return *this;
  }
  story& verdict(const std::string& rule, const std::string& to) {
    return add("verdict.changed", rule + " is " + to, {{"rule", rule}, {"to", to}, {"then", std::string("rollback")}});
  }
  story& users(double errors) {
    return add("evidence.users", "", {{"requests", 100.0}, {"errors", errors}, {"slow", 0.0}, {"slow_of", 100.0}});
  }
  story& ended(const std::string& kind, const std::string& outcome) { return add(kind, "it is " + outcome, {{"outcome", outcome}}); }
  [[nodiscard]] report read() const { return report_of(all); }
};

}  // namespace

TEST_CASE("what_users_met_with_is_told_as_it_was_at_the_breach_and_at_last") {
  const report r = story().verdict("error-rate", "pending").users(1).verdict("error-rate", "breached").users(12).users(7).users(2).read();
  REQUIRE(r.users);
  CHECK(r.users->met.errors.numerator == 2);
  REQUIRE(r.users_at_breach);
  CHECK(r.users_at_breach->met.errors.numerator == 12);
  CHECK(as_text(r).find("at last 2% of 100 requests failed") != std::string::npos);
  CHECK(r.all.size() == 2);  // evidence is none of what happened
  CHECK_FALSE(story().verdict("error-rate", "pending").users(3).read().users_at_breach);
}

TEST_CASE("the_rule_that_was_breached_first_is_the_incidents_and_the_others_are_named_once") {
  const report r = story()
                       .verdict("latency", "pending")
                       .verdict("error-rate", "breached")
                       .verdict("latency", "breached")
                       .verdict("latency", "ok")
                       .verdict("latency", "breached")
                       .read();
  CHECK(r.rule == "error-rate");
  CHECK(r.breached == noon + 1s);
  CHECK(r.rules == std::vector<std::string>{"latency"});
}

TEST_CASE("what_a_person_types_next_follows_from_what_became_of_it") {
  const auto next_after = [](const std::string& outcome) {
    return story().verdict("error-rate", "breached").add("rollback.decided", "").ended("rollback.closed", outcome).read().next.type;
  };
  CHECK(next_after("rolled back") == "`flipback status`");
  CHECK(next_after("undone") == "`flipback unlatch --yes`");
  CHECK(next_after("can't tell") == "`flipback unlatch --yes`");
  story asked;
  asked.verdict("error-rate", "breached").add("rollback.asked", "somebody is asked", {{"rule", std::string("error-rate")}});
  CHECK(asked.read().next.type == "`flipback approve error-rate`");
  asked.ended("incident.ended", "over by itself");
  CHECK(asked.read().next.type == "`flipback status`");  // there is nothing left to approve
}

TEST_CASE("each_probe_that_failed_meanwhile_is_named_once_with_its_newest_reason") {
  story s;
  for (const char* says : {"redis: refused", "redis: timed out"})
    s.add("probe.changed", says, {{"probe", std::string("redis")}, {"outcome", std::string("fail")}});
  s.add("probe.changed", "redis is well", {{"probe", std::string("redis")}, {"outcome", std::string("ok")}});
  CHECK(s.read().ill == std::vector<std::string>{"redis: timed out"});
}

TEST_CASE("a_rollback_is_under_way_until_it_has_an_end_and_its_last_step_is_how_it_stands") {
  story s;
  s.verdict("error-rate", "breached").add("rollback.decided", "rolling back to blue").add("rollback.step", "nginx is reloaded");
  CHECK(s.read().outcome == "a rollback is under way");
  CHECK(s.read().stands == "nginx is reloaded");
  s.ended("rollback.closed", "rolled back").add("deployment.helped", "the rollback helped");
  CHECK(s.read().outcome == "rolled back");
  CHECK(s.read().helped == "the rollback helped");
  CHECK(s.read().steps.size() == 3);
}

TEST_CASE("strangers_words_are_code_in_markdown_and_end_no_row_of_its_table") {
  const std::string page = as_markdown(story().verdict("error-rate", "breached").add("rollback.blocked", "held: `x` | y\n# z").read());
  CHECK(page.find("| rollback.blocked | `held: 'x' \\| y\\n# z` |\n") != std::string::npos);
}

TEST_CASE("what_damage_made_of_a_kind_or_an_id_acts_on_no_terminal") {
  std::vector<happening> all{{noon, event{"incident.began", severity::info, "", {}}.with("incident", std::string("a\x1b[2J\nb"))},
                             {noon, event{"probe.\x1b[2J", severity::info, "", {}}}};
  for (const std::string& text : {as_text(report_of(all)), as_markdown(report_of(all)), list_of(all)}) {
    CAPTURE(text);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find("a\\x1b[2J\\nb") != std::string::npos);
  }
}

TEST_CASE("a_question_that_waits_is_not_hidden_by_what_is_said_after_it_as_long_as_it_lives") {
  const auto asked = [] {
    return story()
        .verdict("error-burn", "breached")
        .add("rollback.asked", "roll back to blue?", {{"rule", std::string("error-burn")}})
        .add("rollback.waiting", "it is looked whether nginx can be switched back", {{"rule", std::string("error-burn")}});
  };
  const report r = asked().read();
  CHECK(r.stands == "roll back to blue?");
  CHECK(r.next.type == "`flipback approve error-burn`");
  story late = asked().add("rollback.blocked", "the stable slot is sick", {{"rule", std::string("error-burn")}});
  late.all.back().at += 11min;
  CHECK(late.read().stands == "the stable slot is sick");
}

TEST_CASE("where_a_rollback_did_not_help_it_is_not_said_that_nothing_is_to_be_done") {
  const report r = story()
                       .verdict("error-rate", "breached")
                       .add("rollback.decided", "")
                       .ended("rollback.closed", "rolled back")
                       .ended("incident.ended", "rolled back")
                       .ended("deployment.helped", "did not help")
                       .read();
  CHECK(r.next.so_that.starts_with("users are still hurt"));
}

TEST_CASE("a_rule_of_several_limits_is_drawn_with_the_one_that_was_breached_and_what_it_read_then") {
  story s = story().add("evidence.rule", "",
                        {{"rule", std::string("error-burn")},
                         {"unit", std::string("ratio")},
                         {"threshold", 0.1},
                         {"points", std::string("[[1700000000000,null]]")}});
  s.add("verdict.changed", "breached",
        {{"rule", std::string("error-burn")},
         {"to", std::string("breached")},
         {"then", std::string("rollback")},
         {"value", 0.6},
         {"threshold", 0.5}});
  const report r = s.read();
  REQUIRE(r.signals.size() == 1);
  CHECK(r.signals[0].threshold == 0.5);
  REQUIRE(r.signals[0].points.size() == 2);
  CHECK(r.signals[0].points[1].value == 0.6);
}
