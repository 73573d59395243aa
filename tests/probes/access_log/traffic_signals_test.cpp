#include "probes/access_log/traffic_signals.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace flipback;
using namespace flipback::access_log;
using namespace std::chrono_literals;

namespace {

constexpr instant since{std::chrono::hours(1000)};
constexpr double wall = 1795762000;

pool ten_requests(double newest_line) {
  pool made;
  made.all = {.requests = 10, .errors = 2, .latencies = {}};
  made.slots.resize(1);
  made.newest_line = newest_line;
  for (const char* failing : {"/b", "/a"}) made.errors_top.add(failing);
  return made;
}

traffic_signals signals() {
  return {abilities(recommended_keys()), std::vector<slot_upstreams>{{"blue", {"127.0.0.1:8000"}}}, 10s};
}

const measurement* found(const observation& in, std::string_view name) {
  const auto at = std::ranges::find(in.measurements, name, &measurement::name);
  return at == in.measurements.end() ? nullptr : &*at;
}

}  // namespace

TEST_CASE("what_is_measured_speaks_of_the_time_since_the_run_before") {
  const traffic_signals s = signals();
  const observation seen = s.say(ten_requests(wall), since, 1, wall, {});
  CHECK(seen.says == "10 requests, 2 errors (/a 1, /b 1)");
  CHECK(seen.measurements.size() == 24);
  for (const measurement& m : seen.measurements) CHECK_MESSAGE(m.since == since, m.name);
}

TEST_CASE("a_log_whose_newest_line_is_late_says_nothing_but_that") {
  const traffic_signals s = signals();
  const observation late = s.say(ten_requests(wall - 20), since, 1, wall, {});
  CHECK(late.result == outcome::unknown);
  CHECK(late.says == "the log is buffered: its newest line came 20s late");
  REQUIRE(late.measurements.size() == 1);
  CHECK(std::get<double>(found(late, "lag")->value) == doctest::Approx(20));
  CHECK(s.say(ten_requests(wall - 10), since, 1, wall, {}).result == outcome::pass);
}

TEST_CASE("a_single_look_knows_neither_how_late_the_log_is_nor_how_much_comes_in_a_second") {
  const traffic_signals s = signals();
  const observation seen = s.say(ten_requests(wall - 20), {}, 0, std::nullopt, std::vector{field::agent, field::pid});
  CHECK(seen.result == outcome::pass);
  CHECK(seen.says.ends_with("; the log has no agent, pid"));
  CHECK(found(seen, "lag") == nullptr);
  CHECK(found(seen, "rps") == nullptr);
  CHECK(found(seen, "requests") != nullptr);
}

TEST_CASE("each_rate_of_the_traffic_has_one_of_the_live_slot_that_it_is_narrowed_to") {
  const traffic_signals s = signals();
  const auto declared = [&](std::string_view name) {
    const auto all = s.declares();
    const auto at = std::ranges::find(all, name, &measurement_declaration::name);
    REQUIRE_MESSAGE(at != all.end(), name);
    return *at;
  };
  for (const std::string name : {"requests", "rps", "error_rate", "client_error_rate", "success_rate", "limited_rate", "aborted_rate",
                                 "slow_rate", "p50", "p90", "p95", "p99"}) {
    const measurement_declaration all = declared(name);
    const measurement_declaration live = declared("live." + name);
    CHECK(all.narrowed == live.name);
    CHECK_FALSE(all.of_live);
    CHECK(live.of_live);
    CHECK(live.narrowed.empty());
    CHECK((live.kind == all.kind && live.in == all.in && live.quantile == all.quantile && live.stale == all.stale));
    CHECK_FALSE(declared("blue." + name).of_live);
    const bool of_time = name == "slow_rate" || name.starts_with("p");
    CHECK(live.tells == (name == "error_rate" ? telling::errors : of_time ? telling::slowness : telling::requests));
    CHECK(live.tells == all.tells);
    // A share says the same of what began after both slots were asked; no count and no latency does.
    CHECK(live.anew == (name.ends_with("_rate") ? "live.anew." + name : ""));
    CHECK(all.anew.empty());
    if (live.anew.empty()) continue;
    const measurement_declaration anew = declared(live.anew);
    CHECK(anew.of_live);
    CHECK((anew.kind == all.kind && anew.in == all.in && anew.stale == all.stale && anew.anew.empty()));
  }
  CHECK(declared("elsewhere").tells == telling::nothing);
  CHECK(declared("elsewhere").narrowed.empty());
}

TEST_CASE("a_log_without_addresses_has_nothing_of_slots_and_one_without_statuses_nothing_of_attempts") {
  const std::vector<slot_upstreams> slots{{"blue", {"127.0.0.1:8000"}}};
  const auto has = [](const traffic_signals& s, std::string_view name) {
    const auto all = s.declares();
    return std::ranges::find(all, name, &measurement_declaration::name) != all.end();
  };
  const traffic_signals without(abilities(*line_format::from_text("combined")), slots, 10s);
  for (const char* name : {"live.error_rate", "blue.error_rate", "elsewhere", "local_error_rate", "local_errors"})
    CHECK_FALSE_MESSAGE(has(without, name), name);
  const traffic_signals bare(abilities(*line_format::from_text("$status $upstream_addr")), slots, 10s);
  for (const char* name : {"live.error_rate", "elsewhere", "local_error_rate"}) CHECK_MESSAGE(has(bare, name), name);
  CHECK_FALSE(has(bare, "blue.error_rate"));
  const traffic_signals no_slots(abilities(recommended_keys()), {}, 10s);
  CHECK_FALSE(has(no_slots, "live.error_rate"));
  CHECK_FALSE(has(no_slots, "elsewhere"));
  CHECK(std::ranges::all_of(no_slots.declares(), [](const measurement_declaration& d) { return d.narrowed.empty(); }));
}

TEST_CASE("of_the_live_slot_nothing_is_measured_but_since_it_was_told") {
  const traffic_signals s = signals();
  pool seen = ten_requests(wall);
  seen.live.requests = 4;
  seen.live.errors = 1;
  observation said = s.say(seen, since, 1, wall, {});
  CHECK(found(said, "live.error_rate") == nullptr);
  s.measure_live(said.measurements, seen, since + 400ms, 0.6);
  REQUIRE(found(said, "live.error_rate") != nullptr);
  CHECK(found(said, "live.error_rate")->since == since + 400ms);
  CHECK(std::get<pooled>(found(said, "live.error_rate")->value).numerator == 1);
  CHECK(std::get<pooled>(found(said, "live.error_rate")->value).denominator == 4);
  CHECK(std::get<pooled>(found(said, "live.rps")->value).denominator == doctest::Approx(0.6));
  pool quiet;
  std::vector<measurement> none;
  s.measure_live(none, quiet, since, 1);
  for (const measurement& m : none) CHECK(m.quiet);
}

TEST_CASE("what_began_after_both_slots_were_asked_is_measured_once_they_were") {
  const traffic_signals s = signals();
  pool seen = ten_requests(wall);
  seen.live = {.requests = 4, .errors = 3, .latencies = {}};
  seen.anew = {.requests = 2, .errors = 0, .latencies = {}};
  for (const bool asked : {false, true}) {
    observation said = s.say(seen, since, 1, wall, {});
    s.measure_live(said.measurements, seen, since, 1, asked);
    const measurement* anew = found(said, "live.anew.error_rate");
    CHECK((anew != nullptr) == asked);
    CHECK(std::get<pooled>(found(said, "live.error_rate")->value).numerator == 3);
    if (anew == nullptr) continue;
    CHECK(std::get<pooled>(anew->value).numerator == 0);
    CHECK(std::get<pooled>(anew->value).denominator == 2);
    CHECK(found(said, "live.anew.requests") == nullptr);
  }
}

TEST_CASE("what_went_elsewhere_and_what_nginx_failed_are_shares_of_all_that_came_in") {
  const traffic_signals s = signals();
  pool seen = ten_requests(wall);
  seen.elsewhere = 20;
  seen.local = 10;
  seen.local_errors = 8;
  seen.local_failures = 4;
  const observation said = s.say(seen, since, 1, wall, {});
  CHECK(said.says == "10 requests, 2 errors (/a 1, /b 1), 20 more to no slot");
  CHECK(std::get<pooled>(found(said, "elsewhere")->value).numerator == 20);
  CHECK(std::get<pooled>(found(said, "elsewhere")->value).denominator == 40);
  CHECK(std::get<pooled>(found(said, "local_error_rate")->value).numerator == 4);
  CHECK(std::get<pooled>(found(said, "local_error_rate")->value).denominator == 40);
  CHECK(std::get<double>(found(said, "local_errors")->value) == 8);
}
