#include "agent/incident/book.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace std::chrono_literals;
using incident::book;
using incident::text_of;

namespace {

wall_time at(int second) {
  return wall_time(std::chrono::seconds(1795762000 + second));
}

event verdict(const std::string& rule, const std::string& to, const std::string& then = "rollback") {
  event e{"verdict.changed", severity::info, rule + " is " + to, {}};
  e.with("rule", rule).with("to", to).with("then", then);
  return e;
}
event closed(const std::string& outcome) {
  event e{"rollback.closed", severity::warning, outcome, {}};
  return e.with("outcome", outcome);
}
event of(const std::string& kind) {
  return {kind, severity::info, kind, {}};
}

/// Told one after the other, a second apart: the kinds that come out, and whether they carry an incident's id.
struct night {
  book kept;
  int now = 0;
  std::vector<event> told;

  std::string tell(event e) {
    std::string kinds;
    for (event& each : kept.take(std::move(e), at(++now))) {
      kinds += (kinds.empty() ? "" : " ") + each.kind;
      told.push_back(std::move(each));
    }
    return kinds;
  }
  [[nodiscard]] bool is_open() const { return kept.now().has_value(); }
  [[nodiscard]] std::string outcome() const { return text_of(told.back(), "outcome"); }
};

}  // namespace

TEST_CASE("an_incident_says_what_was_put_live_before_it_and_how_long_before") {
  const auto cutover = [](const std::string& slot) { return of("deployment.cutover").with("live", slot).with("release", slot + "-1"); };
  night n;
  n.tell(verdict("error-rate", "pending"));
  CHECK_FALSE(incident::number_in(n.told[0], "cutover_ago"));
  n.tell(verdict("error-rate", "ok"));
  n.kept.note_cutover(cutover("blue"), at(10));
  n.kept.note_cutover(of("deployment.failover"), at(11));
  n.now = 100;
  n.told.clear();
  n.tell(verdict("error-rate", "pending"));
  CHECK(incident::number_in(n.told[0], "cutover_ago") == 91);
  CHECK(text_of(n.told[0], "live") == "blue");
  n.tell(cutover("green"));  // in the middle of one
  n.tell(verdict("error-rate", "ok"));
  n.told.clear();
  n.tell(verdict("error-rate", "pending"));
  CHECK(incident::number_in(n.told[0], "cutover_ago") == 2);
  CHECK(text_of(n.told[0], "release") == "green-1");
  n.tell(of("rollback.decided"));
  n.tell(verdict("error-rate", "ok"));
  n.tell(closed("rolled back"));
  n.told.clear();
  n.tell(verdict("error-rate", "pending"));  // on what was there before
  CHECK_FALSE(incident::number_in(n.told[0], "cutover_ago"));
}

TEST_CASE("an_incident_is_from_pending_to_the_end_and_what_happens_carries_its_id") {
  night n;
  CHECK(n.tell(of("probe.changed")) == "probe.changed");
  CHECK(text_of(n.told.back(), "incident").empty());
  CHECK(n.tell(verdict("error-rate", "pending")) == "incident.began verdict.changed");
  CHECK(n.tell(of("probe.changed")) == "probe.changed");
  CHECK(text_of(n.told.back(), "incident") == "20261127T064642.000Z");
  CHECK(n.tell(verdict("error-rate", "breached")) == "verdict.changed");
  CHECK(n.tell(of("rollback.decided")) == "rollback.decided");
  CHECK(n.tell(verdict("error-rate", "unknown")) == "verdict.changed");  // rules start anew
  CHECK(n.tell(closed("rolled back")) == "rollback.closed incident.ended");
  CHECK(n.outcome() == "rolled back");
  CHECK(text_of(n.told.back(), "incident") == "20261127T064642.000Z");
  CHECK_FALSE(n.is_open());
  n.tell(of("probe.changed"));
  CHECK(text_of(n.told.back(), "incident").empty());
}

TEST_CASE("rules_that_only_tell_begin_none") {
  night n;
  CHECK(n.tell(verdict("redis-memory", "breached", "alert")) == "verdict.changed");
  CHECK_FALSE(n.is_open());
}

TEST_CASE("rules_that_are_breached_together_are_one_and_it_ends_with_the_last") {
  night n;
  n.tell(verdict("error-rate", "pending"));
  CHECK(n.tell(verdict("latency", "pending")) == "verdict.changed");
  CHECK(n.tell(verdict("error-rate", "ok")) == "verdict.changed");
  CHECK(n.tell(verdict("latency", "ok")) == "verdict.changed incident.ended");
  CHECK(n.outcome() == "over before it was a breach");
}

TEST_CASE("what_can_not_be_told_of_a_rule_ends_nothing_while_the_same_release_is_live") {
  night n;
  n.tell(verdict("error-rate", "breached"));
  CHECK(n.tell(verdict("error-rate", "unknown")) == "verdict.changed");
  CHECK(n.is_open());
  CHECK(n.tell(verdict("error-rate", "pending")) == "verdict.changed");  // the same one
  n.tell(verdict("error-rate", "unknown"));
  CHECK(n.tell(of("deployment.cutover")) == "deployment.cutover incident.ended");
  CHECK(n.outcome() == "another release was put live by hand");
  n.tell(verdict("error-rate", "breached"));
  n.tell(of("deployment.cutover"));
  CHECK(n.tell(verdict("error-rate", "unknown")) == "verdict.changed incident.ended");  // the rule starts anew after it
}

TEST_CASE("why_nothing_was_done_is_its_outcome") {
  night n;
  n.tell(verdict("error-rate", "breached"));
  n.tell(event{"rollback.blocked", severity::critical, "held by ann", {}}.with("guard", "hold"));
  n.tell(verdict("error-rate", "ok"));
  CHECK(n.outcome() == "over by itself; nothing was done (blocked: hold)");
}

TEST_CASE("a_rollback_that_changed_nothing_ends_it_only_with_the_rule") {
  night n;
  n.tell(verdict("error-rate", "breached"));
  n.tell(of("rollback.decided"));
  CHECK(n.tell(closed("nothing changed")) == "rollback.closed");
  CHECK(n.tell(verdict("error-rate", "ok")) == "verdict.changed incident.ended");
  CHECK(n.outcome() == "nothing changed");
}

TEST_CASE("a_persons_rollback_is_one_too") {
  night n;
  CHECK(n.tell(of("rollback.decided")) == "incident.began rollback.decided");
  CHECK(n.tell(closed("rolled back")) == "rollback.closed incident.ended");
}

TEST_CASE("one_that_an_earlier_life_left_open_goes_on") {
  night before;
  before.tell(verdict("error-rate", "pending"));
  before.tell(verdict("error-rate", "breached"));
  night n;
  int second = 0;
  for (const event& e : before.told) n.kept.recall(e, at(++second));
  REQUIRE(n.is_open());
  CHECK(n.kept.now()->id == before.kept.now()->id);
  CHECK(n.tell(verdict("error-rate", "pending")) == "verdict.changed");
  CHECK(n.tell(verdict("error-rate", "ok")) == "verdict.changed incident.ended");
  night over;
  for (const event& e : n.told) over.kept.recall(e, at(1));
  CHECK_FALSE(over.is_open());
}

TEST_CASE("what_was_open_for_a_rule_that_is_no_more_is_over") {
  night n;
  n.tell(verdict("error-rate", "breached"));
  n.tell(verdict("latency", "breached"));
  CHECK(n.kept.settle({"error-rate", "latency"}, false, at(50)).empty());
  CHECK(n.kept.settle({"latency"}, false, at(50)).empty());
  CHECK(n.is_open());
  const auto told = n.kept.settle({}, false, at(50));
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == "incident.ended");
  CHECK_FALSE(text_of(told[0], "incident").empty());
  CHECK_FALSE(n.is_open());
}

TEST_CASE("a_rollback_whose_end_was_never_told_is_over_where_none_is_under_way") {
  night n;
  n.tell(of("rollback.decided"));
  CHECK(n.kept.settle({}, true, at(50)).empty());
  const auto told = n.kept.settle({}, false, at(51));
  REQUIRE(told.size() == 1);
  CHECK(text_of(told[0], "outcome") == "what became of its rollback is not on record");
}
