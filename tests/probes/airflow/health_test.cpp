#include "probes/airflow/health.hpp"

#include "flipback/timestamp.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::airflow;
using namespace std::chrono_literals;

namespace {

/// What an answer says at noon.
std::optional<health> at_noon(std::string_view answer) {
  return read_health(net::parse_json(answer).value(), parse_timestamp("2026-11-24T12:00:00Z").value());
}

complaints of(std::string_view answer, const demands& demanded = {}) {
  return complaints_of(at_noon(answer).value(), demanded);
}

constexpr std::string_view well = R"({"metadatabase": {"status": "healthy"},
  "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": "2026-11-24T11:59:58.5+00:00"},
  "triggerer": {"status": null, "latest_triggerer_heartbeat": null},
  "dag_processor": {"status": "healthy", "latest_dag_processor_heartbeat": "2026-11-24T12:00:00.25Z"}})";
constexpr std::string_view gone = R"({"metadatabase": {"status": "unhealthy"},
  "scheduler": {"status": "unhealthy", "latest_scheduler_heartbeat": null},
  "triggerer": {"status": "unhealthy", "latest_triggerer_heartbeat": null}})";
constexpr std::string_view ended = R"({"metadatabase": {"status": "healthy"},
  "scheduler": {"status": "unhealthy", "latest_scheduler_heartbeat": "2026-11-24T11:59:00+00:00"}})";
constexpr std::string_view killed = R"({"metadatabase": {"status": "healthy"},
  "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": "2026-11-24T11:59:29+00:00"}})";

}  // namespace

TEST_CASE("airflow_says_how_its_parts_are_and_when_each_was_last_heard_of") {
  const auto seen = at_noon(well);
  REQUIRE(seen);
  CHECK((*seen)[0].status == "healthy");
  CHECK((*seen)[1].heartbeat_age == 1500ms);
  CHECK_FALSE((*seen)[2].status);
  CHECK_FALSE((*seen)[2].heartbeat_age);
  CHECK((*seen)[3].heartbeat_age == 0s);  // a heartbeat from the future: a Date has whole seconds
  CHECK_FALSE(any(of(well)));
}

TEST_CASE("an_answer_without_its_two_oldest_parts_is_no_airflows") {
  for (const std::string_view other :
       {R"({})", R"([])", R"({"status": "healthy"})", R"({"metadatabase": {"status": null}, "scheduler": 7})",
        R"({"metadatabase": {"status": "healthy"}, "scheduler": {"status": null}})"}) {
    CAPTURE(other);
    CHECK_FALSE(at_noon(other));
  }
}

TEST_CASE("a_part_that_was_never_deployed_is_unwell_only_where_it_is_needed") {
  demands demanded;
  demanded.needed[2] = true;
  CHECK(of(well, demanded)[2] == "the triggerer was never started");
}

TEST_CASE("a_part_is_unwell_by_its_status_or_by_the_age_of_its_heartbeat") {
  CHECK(of(ended)[1] == "the scheduler is unhealthy, its last heartbeat 1m ago");
  CHECK(of(killed)[1] == "the scheduler's last heartbeat was 31s ago, though it is called healthy; at most 30s are right");
  demands patient;
  patient.max_heartbeat_age = 1min;
  CHECK_FALSE(any(of(killed, patient)));
}

TEST_CASE("without_its_metadatabase_nothing_is_said_of_the_other_parts") {
  CHECK(of(gone)[0] == "the metadatabase is unhealthy");
  CHECK(of(gone)[1].empty());
}

TEST_CASE("what_a_second_look_finds_well_or_newly_unwell_is_no_complaint_yet") {
  CHECK_FALSE(any(lasting(of(ended), of(well))));
  CHECK_FALSE(any(lasting(of(well), of(ended))));
  CHECK(lasting(of(ended), of(killed))[1] == of(killed)[1]);
}

TEST_CASE("a_part_that_is_not_looked_at_may_be_as_it_likes") {
  demands demanded;
  demanded.looked_at = {true, false, true, true};
  CHECK_FALSE(any(of(ended, demanded)));
  CHECK_FALSE(any(of(killed, demanded)));
  CHECK(of(gone, demanded)[0] == "the metadatabase is unhealthy");
}
