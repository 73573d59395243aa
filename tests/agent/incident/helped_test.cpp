#include "agent/incident/helped.hpp"

#include "agent/incident/book.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace flipback;
using namespace std::chrono_literals;
using incident::helped;
using incident::users_met;

namespace {

const instant noon{100h};

users_met met(double errors, double of, double slow = 0, std::optional<double> p95 = {}) {
  return {{errors, of}, {slow, of}, p95};
}

std::string became(const users_met& before, const users_met& after) {
  helped h;
  h.decided("id", before, 2min);
  h.closed("rolled back", noon);
  const auto told = h.tell(after, after);
  REQUIRE(told);
  CHECK(incident::text_of(*told, "incident") == "id");
  CHECK((told->severity == severity::critical) == (incident::text_of(*told, "outcome") == "did not help"));
  if (told->severity == severity::warning) return "helped in part";
  return incident::text_of(*told, "outcome");
}

}  // namespace

TEST_CASE("a_rollback_helped_where_what_hurt_users_is_at_most_half_of_what_it_was") {
  CHECK(became(met(600, 1200), met(0, 1200)) == "helped");
  CHECK(became(met(600, 1200), met(96, 1200)) == "helped in part");  // 8% is what this application always loses
  CHECK(became(met(0, 1200, 300), met(0, 1200, 2)) == "helped");     // it was slow
  CHECK(became(met(100, 1200, 300), met(3, 1200, 2)) == "helped");   // both
  CHECK(became(met(600, 1200), met(1, 40)) == "helped");             // few came back, but enough
}

TEST_CASE("it_did_not_help_where_users_are_hurt_as_before_or_by_something_new") {
  CHECK(became(met(600, 1200), met(580, 1200)) == "did not help");
  CHECK(became(met(600, 1200), met(400, 1200)) == "did not help");   // less, and surely so, but no end of it
  CHECK(became(met(0, 1200), met(0, 1200, 500)) == "did not help");  // the stable slot is slow
  CHECK(became(met(0, 1200), met(300, 1200)) == "did not help");     // a person's rollback made it worse
}

TEST_CASE("it_cant_be_told_by_few_requests_nor_where_nothing_hurt_before") {
  CHECK(became(met(600, 1200), met(0, 19)) == "can't tell");
  CHECK(became(met(600, 1200), met(0, 0)) == "can't tell");
  CHECK(became(met(0, 1200), met(0, 1200)) == "can't tell");
  CHECK(became(met(0, 0), met(0, 1200)) == "can't tell");
  CHECK(became(met(3, 20), met(0, 20)) == "can't tell");  // chance makes that, too
  CHECK(became(met(6, 20), met(3, 20)) == "can't tell");  // half of it, which chance makes, too
}

TEST_CASE("what_users_met_with_before_and_after_is_in_the_sentence") {
  helped h;
  h.decided("20261127T090411.791Z", met(86, 1204, 0, 1.9004), 40s + 1ms);
  h.closed("unproven", noon);
  CHECK(h.due() == noon + 2min);
  CHECK(h.since() == noon);
  const auto told = h.tell(met(0, 1180, 0, 0.0841), met(0, 300));
  REQUIRE(told);
  CHECK(told->says ==
        "the rollback helped: in the 2m after it 0% of 1180 requests failed, P95 84ms; in the 41s before it 7.14% of 1204 requests failed, "
        "P95 1.9s");
  CHECK_FALSE(h.due());
  CHECK_FALSE(h.tell(met(0, 1180), met(0, 300)));  // once
}

TEST_CASE("a_rollback_that_led_nobody_anywhere_is_not_measured") {
  helped h;
  CHECK_FALSE(h.due());
  h.closed("rolled back", noon);  // whose decision was not heard: an earlier life's
  h = {};
  h.decided("id", met(600, 1200), 2min);
  CHECK_FALSE(h.due());
  h.closed("undone", noon);
  CHECK_FALSE(h.due());
  CHECK_FALSE(h.tell(met(0, 100), met(0, 100)));
}

TEST_CASE("what_comes_between_is_the_reason_why_it_cant_be_told") {
  helped h;
  h.cut_off("another cutover was seen meanwhile");  // of no rollback
  CHECK_FALSE(h.due());
  h.decided("id", met(600, 1200), 2min);
  h.closed("rolled back", noon);
  h.cut_off("another cutover was seen meanwhile");
  h.cut_off("something else");
  REQUIRE(h.due());
  CHECK(*h.due() <= noon);
  CHECK(h.tell(met(0, 1200), met(0, 300))->says == "can't tell whether the rollback helped: another cutover was seen meanwhile");
  h.interrupted("older");
  const auto told = h.tell(std::nullopt, std::nullopt);
  CHECK(told->says == "can't tell whether the rollback helped: the agent was started anew meanwhile");
  CHECK(incident::text_of(*told, "incident") == "older");
}

TEST_CASE("it_cant_be_told_of_users_who_came_no_more") {
  helped h;
  h.decided("id", met(600, 1200), 2min);
  h.closed("rolled back", noon);
  const auto told = h.tell(met(0, 400), met(0, 0));  // nginx died, or the traffic ended
  CHECK(incident::text_of(*told, "outcome") == "can't tell");
  CHECK(told->says.contains("no request was seen in the last 30s"));
}

TEST_CASE("where_one_thing_is_mended_and_another_hurts_both_are_said") {
  CHECK(became(met(600, 1200), met(0, 1200, 90)) == "helped in part");  // the stable slot's caches are cold
  CHECK(became(met(1200, 1200), met(480, 1200)) == "helped in part");
}

TEST_CASE("where_nobody_counts_requests_it_cant_be_told") {
  helped h;
  h.decided("id", std::nullopt, 2min);
  h.closed("rolled back", noon);
  CHECK(h.tell(std::nullopt, std::nullopt)->says == "can't tell whether the rollback helped: no probe counts users' requests");
}

TEST_CASE("what_is_not_counted_is_not_named") {
  CHECK(incident::as_text(met(0, 0, 2, 0.1)) == "no request was seen");
  CHECK(incident::as_text({{0, 0}, {2, 100}, 0.1}) == "100 requests were seen, P95 100ms");
  CHECK(incident::as_text({{0, 0}, {50, 100}, 1.5}) == "50% of 100 were slow, P95 1.5s");
  CHECK(incident::as_text(met(1, 100, 50)) == "1% of 100 requests failed, 50% of 100 were slow");
}
