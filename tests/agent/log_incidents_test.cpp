#include "tests/agent/log_night.hpp"

#include <doctest/doctest.h>

// What rules that roll back say to nights that begin with log lines. Times are minutes and seconds from the cutover to green, at which a
// rule or the probe says something new.

using namespace flipback;
using namespace flipback::log_night;

namespace {

const std::vector<some> a_third_fails{{14, well}, {6, failing}};
const std::string breached_in_time = "01:00 error-burn breached; 05:00 error-rate breached";

al::field_keys without(std::initializer_list<al::field> left_out) {
  al::field_keys keys = al::recommended_keys();
  for (const al::field f : left_out) keys[static_cast<std::size_t>(f)].clear();
  return keys;
}

}  // namespace

TEST_CASE("a_third_of_errors_in_the_log_is_a_breach_when_a_minute_is_full") {
  night plain;
  CHECK(plain.after_a_good_release().logs(7min, a_third_fails).told() == breached_in_time);
  CHECK(plain.seen() == "20 requests, 6 errors (GET /api 6)");
}

TEST_CASE("a_log_that_is_rotated_changes_no_second_of_the_decision") {
  night renamed;
  renamed.on_disk().after_a_good_release().logs(3min, a_third_fails).file().rename();
  renamed.logs(3min + 2s, a_third_fails).file().reopen();
  CHECK(renamed.logs(7min, a_third_fails).told() == breached_in_time);
  CHECK(renamed.lost() == 0);
  night copied;
  copied.on_disk().after_a_good_release().logs(3min, a_third_fails).file().copy_and_truncate();
  CHECK(copied.logs(7min, a_third_fails).told() == breached_in_time);
  CHECK(copied.lost() == 0);
}

TEST_CASE("a_log_that_is_20_seconds_late_is_no_breach_but_unknown_and_says_why") {
  night late;
  CHECK(late.after_a_good_release().late(20s).logs(10min, a_third_fails).told() ==
        "00:21 traffic unknown: the log is buffered: its newest line came 20s late; "
        "04:30 error-rate blind");
  night in_mid_pending;
  CHECK(in_mid_pending.after_a_good_release().logs(3min, a_third_fails).late(20s).logs(10min, a_third_fails).told() ==
        "01:00 error-burn breached; 03:21 traffic unknown: the log is buffered: its newest line came 20s late; "
        "05:15 error-rate blind");
}

TEST_CASE("a_log_that_is_late_by_less_than_its_limit_is_judged") {
  night late;
  CHECK(late.after_a_good_release().late(10s).logs(7min, a_third_fails).told() == breached_in_time);
  night flushed;
  CHECK(flushed.after_a_good_release().flushed_every(10s).logs(7min, a_third_fails).told() == breached_in_time);
}

TEST_CASE("a_log_that_falls_silent_at_the_cutover_makes_the_rules_blind_two_minutes_after_their_windows_should_be_full") {
  night silent;
  CHECK(silent.after_a_good_release().logs(14min, {}).told() == "04:30 error-rate blind");
  CHECK(silent.seen() == "0 requests, 0 errors");
}

TEST_CASE("a_last_second_of_errors_before_the_cutover_is_not_the_new_releases") {
  night dying;
  dying.logs(-1s, {{20, of_blue}}).logs(0s, {{200, {.status = 502, .upstream = "127.0.0.1:8000", .upstream_status = "502"}}}).cut_over();
  CHECK(dying.logs(7min, {{20, well}}).told().empty());
}

TEST_CASE("a_deadlocked_release_answers_nothing_and_is_out_after_twenty_seconds") {
  const request hung{.status = 499, .request_time = "2.000", .upstream_status = "-", .header_time = "-", .response_time = "2.000"};
  night busy;
  CHECK(busy.after_a_good_release().logs(7min, {{20, hung}}).told() ==
        "00:20 error-burn breached; 00:40 latency-burn breached; 05:00 error-rate breached; 05:00 latency breached");
  night quiet;
  CHECK(quiet.after_a_good_release(1).logs(1min, {{1, hung}}).told() == "00:20 error-burn breached; 00:40 latency-burn breached");
  const request impatient{.status = 499, .request_time = "0.900", .upstream_status = "-", .header_time = "-", .response_time = "0.900"};
  night hasty;
  CHECK(hasty.after_a_good_release().logs(7min, {{20, impatient}}).told().empty());
}

TEST_CASE("slow_uploads_are_no_latency_where_the_log_has_the_upstreams_time") {
  const request upload{.request_time = "20.000"};
  night told_apart;
  CHECK(told_apart.after_a_good_release().logs(7min, {{10, well}, {10, upload}}).told().empty());
  night alike(without({al::field::header_time, al::field::response_time}));
  CHECK(alike.after_a_good_release().logs(7min, {{10, well}, {10, upload}}).told() ==
        "02:30 latency-burn breached; 05:00 latency breached");
}

TEST_CASE("websockets_and_event_streams_are_no_latency") {
  const request socket{.status = 101, .request_time = "300", .upstream_status = "101", .response_time = "300"};
  const request events{.path = "/events/1", .request_time = "300", .response_time = "300"};
  const std::vector<some> all{{10, well}, {10, socket}, {10, events}};
  night by_header;
  CHECK(by_header.after_a_good_release().logs(7min, all).told().empty());
  night excluded(without({al::field::header_time}), {.slow_paths = {"/events"}});
  CHECK(excluded.after_a_good_release().logs(7min, all).told().empty());
  night only_sockets(without({al::field::header_time}));
  CHECK(only_sockets.after_a_good_release().logs(7min, {{10, well}, {10, socket}}).told().empty());
  night nobody_said(without({al::field::header_time}));
  CHECK(nobody_said.after_a_good_release().logs(12min, all).told() == "07:01 latency-burn breached; 09:02 latency breached");
}

// To withhold the action is a guard's: the verdict is what the log says.
TEST_CASE("a_crawler_on_an_address_that_always_fails_breaches_and_what_the_probe_says_names_the_address") {
  const request crawled{.status = 500, .path = "/feed/broken", .client = "198.51.100.1", .upstream_status = "500"};
  night crawler;
  CHECK(crawler.after_a_good_release().logs(7min, {{50, well}, {9, crawled}, {1, failing}}).told() ==
        "02:30 error-burn breached; 05:00 error-rate breached");
  CHECK(crawler.seen() == "60 requests, 10 errors (GET /feed/broken 9, GET /api 1)");
}

TEST_CASE("a_502_that_another_slot_made_good_is_seen_by_the_slots_own_signal_alone") {
  rule_source of_green;
  of_green.name = "green-errors";
  of_green.when.text = "traffic.green.error_rate over 1m > 5%";
  of_green.min_samples = 50;
  of_green.then = consequence::rollback;
  const request retried{.upstream = "127.0.0.1:8001, 127.0.0.1:8000",
                        .upstream_status = "502, 200",
                        .header_time = "0.010, 0.040",
                        .response_time = "0.010, 0.040"};
  night made_good(al::recommended_keys(), {}, {of_green});
  CHECK(made_good.after_a_good_release().logs(7min, {{18, well}, {2, retried}}).told() == "01:00 green-errors breached");
  CHECK(made_good.seen() == "20 requests, 0 errors");
}
