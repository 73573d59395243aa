#include "probes/access_log/error_memory.hpp"
#include "probes/access_log/live_now.hpp"
#include "probes/access_log/traffic.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace flipback;
using namespace flipback::access_log;
using namespace std::chrono_literals;

namespace {

constexpr double cutover = 1795491858;
constexpr std::size_t blue = 0;
constexpr std::size_t green = 1;

std::string ended(double at, double took, int status, const char* upstream, const char* path = "/api") {
  return fmt::format(
      R"({{"time":"{:.3f}","status":"{}","method":"GET","path":"{}","agent":"curl","client":"10.0.0.7","request_time":"{:.3f}",)"
      R"("upstream":"{}","upstream_status":"{}","header_time":"{:.3f}","response_time":"{:.3f}"}})",
      at, status, path, took, upstream, status, took, took);
}

constexpr const char* of_blue = "127.0.0.1:8000";
constexpr const char* of_green = "127.0.0.1:8001";

traffic watched(traffic::live live) {
  traffic t(recommended_keys(), {}, 1.0, {{"blue", {of_blue}}, {"green", {of_green}}});
  t.goes_live(live);
  return t;
}

}  // namespace

TEST_CASE("what_the_slot_before_took_and_could_not_finish_is_its_own") {
  traffic t = watched({green, cutover});
  for (int i = 0; i < 59; ++i) t.add(ended(cutover + i, 60, 504, of_blue));
  for (int i = 0; i < 10; ++i) t.add(ended(cutover + i, 0.1, 200, of_green));
  const pool p = t.take();
  CHECK(p.all.errors == 59);
  CHECK(p.errors_top.total() == 59);
  CHECK(p.live.requests == 9);  // the first began before the cutover
  CHECK(p.live.errors == 0);
  CHECK(p.failing_requests.total() == 0);
  CHECK(p.failing_clients.total() == 0);
  CHECK(p.failed.kept().empty());
  CHECK(p.safe_errors == 0);
  CHECK(p.clients.total() == 9);
}

TEST_CASE("a_request_counts_from_its_beginning_on_and_by_any_attempt_at_the_live_slot") {
  traffic t = watched({green, cutover});
  t.add(ended(cutover + 5, 4.9, 500, of_green));
  t.add(ended(cutover + 5, 5.1, 500, of_green));
  t.add(ended(cutover + 5, 0.1, 200, "127.0.0.1:8001, 127.0.0.1:8000"));
  t.add(ended(cutover + 5, 2, 200, "127.0.0.1:8000, 127.0.0.1:8001"));
  const pool p = t.take();
  CHECK(p.all.requests == 4);
  CHECK(p.live.requests == 3);
  CHECK(p.live.errors == 1);
  CHECK(p.live.slow == 2);
  CHECK(p.live.latencies.count() == 3);
  CHECK(p.failed.kept().size() == 1);
}

TEST_CASE("of_the_live_slot_requests_that_began_after_both_slots_were_asked_are_counted_apart_too") {
  constexpr double asked = cutover + 100;
  traffic t = watched({green, cutover, asked});
  t.add(ended(asked + 30, 60, 504, of_green));  // began before
  t.add(ended(asked + 31, 0.1, 200, of_green));
  t.add(ended(asked + 32, 5, 500, of_green));
  t.add(ended(asked + 32, 5, 500, of_blue));
  const pool p = t.take();
  CHECK(p.live.requests == 3);
  CHECK(p.live.errors == 2);
  CHECK(p.anew.requests == 2);
  CHECK(p.anew.errors == 1);
  traffic nobody_asked = watched({green, cutover});
  nobody_asked.add(ended(cutover + 31, 0.1, 500, of_green));
  CHECK(nobody_asked.take().anew.requests == 0);
}

TEST_CASE("where_a_line_has_no_time_its_arrival_stands_for_it") {
  traffic t(*line_format::from_text("$status $upstream_addr $request_time"), {}, 1.0, {{"blue", {of_blue}}, {"green", {of_green}}});
  t.goes_live({green, cutover});
  t.add("500 127.0.0.1:8001 0.500", cutover + 1);
  t.add("500 127.0.0.1:8001 1.500", cutover + 1);
  t.add("500 127.0.0.1:8001 0.500");
  CHECK(t.take().live.errors == 1);
}

TEST_CASE("a_time_in_whole_seconds_is_the_earliest_that_it_can_be") {
  traffic t(*line_format::from_text("[$time_iso8601] $status $upstream_addr $request_time"), {}, 1.0, {{"green", {of_green}}});
  t.goes_live({0, 1795491858.5});
  t.add("[2026-11-24T03:44:18+00:00] 500 127.0.0.1:8001 0.000");
  t.add("[2026-11-24T03:44:19+00:00] 500 127.0.0.1:8001 0.000");
  CHECK(t.take().live.errors == 1);
}

TEST_CASE("while_nobody_knows_which_slot_is_live_none_is_and_all_errors_are_remembered") {
  traffic t = watched({});
  t.add(ended(cutover, 0.1, 500, of_blue));
  const pool p = t.take();
  CHECK(p.live.requests == 0);
  CHECK(p.failing_requests.total() == 1);
}

TEST_CASE("where_slots_are_not_told_apart_what_began_before_the_cutover_is_held_against_nobody") {
  traffic t(*line_format::from_text("$msec $status $request_time \"$request\" \"$http_user_agent\""), {}, 1.0, {{"blue", {of_blue}}});
  t.goes_live({0, cutover});
  t.add(fmt::format(R"({:.3f} 504 60.000 "GET /old HTTP/1.1" "curl")", cutover + 30));
  t.add(fmt::format(R"({:.3f} 500 0.100 "GET /new HTTP/1.1" "curl")", cutover + 30));
  const pool p = t.take();
  CHECK(p.all.errors == 2);
  CHECK(p.live.requests == 0);
  CHECK(p.failing_requests.largest(2) == std::vector<std::pair<std::string, std::uint64_t>>{{"GET /new", 1}});
}

TEST_CASE("what_was_counted_of_the_slot_before_is_forgotten_at_a_turn_and_nothing_else") {
  traffic t = watched({.slot = blue, .anew = cutover - 10});
  t.add(ended(cutover - 1, 0.1, 500, of_blue));
  t.forget_live();
  t.goes_live({green, cutover});
  t.add(ended(cutover + 1, 0.1, 503, of_green, "/new"));
  const pool p = t.take();
  CHECK(p.all.errors == 2);
  CHECK(p.slots[blue].errors == 1);
  CHECK(p.live.errors == 1);
  CHECK(p.anew.errors == 0);
  CHECK(p.failing_requests.largest(2) == std::vector<std::pair<std::string, std::uint64_t>>{{"GET /new", 1}});
}

TEST_CASE("the_memory_of_errors_holds_nothing_of_the_slot_before") {
  error_memory memory;
  traffic t = watched({.slot = blue});
  const instant at{1000h};
  t.add(ended(cutover - 1, 0.1, 500, of_blue));
  memory.add(t.take(), at, cutover);
  CHECK(memory.since(at - 1min).errors == 1);
  memory.forget();
  t.goes_live({green, cutover});
  for (int i = 0; i < 59; ++i) t.add(ended(cutover + 2, 60, 504, of_blue));
  memory.add(t.take(), at + 2s, cutover + 2);
  const error_shares none = memory.since(at);
  CHECK(none.errors == 0);
  CHECK(none.sample.empty());
  CHECK(none.requesters.empty());
  t.add(ended(cutover + 12, 0.1, 500, of_green));
  memory.add(t.take(), at + 12s, cutover + 12);
  CHECK(memory.since(at).errors == 1);
}

TEST_CASE("a_turn_is_seen_once_and_what_was_told_before_the_start_is_none") {
  const auto told = std::make_shared<live_facts>();
  live_now live(told);
  *told = {.slot = green, .since = instant{1000h}, .turn = 1};
  live.start();
  CHECK_FALSE(live.has_turned(instant{1001h}));
  CHECK(live.told_at() == instant{});
  CHECK(live.is_known());
  told->turn = 2;
  CHECK(live.has_turned(instant{1002h}));
  CHECK_FALSE(live.has_turned(instant{1003h}));
  CHECK(live.told_at() == instant{1002h});
}

TEST_CASE("a_wall_clock_that_is_set_moves_the_cutover_along") {
  const auto told = std::make_shared<live_facts>();
  *told = {.slot = green, .since = instant{1000h}, .turn = 1};
  const live_now live(told);
  CHECK_FALSE(live.is_anew());
  CHECK_FALSE(live.as_of(instant{1000h} + 60s, cutover + 60).anew);
  told->anew = instant{1000h} + 30s;
  CHECK(live.is_anew());
  CHECK(live.as_of(instant{1000h} + 60s, cutover + 60).anew == doctest::Approx(cutover + 30));
  CHECK(live.as_of(instant{1000h} + 60s, cutover + 60).since == doctest::Approx(cutover));
  CHECK(live.as_of(instant{1000h} + 60s, cutover - 3540).since == doctest::Approx(cutover - 3600));
  told->since.reset();
  CHECK_FALSE(live.as_of(instant{1000h}, cutover).since);
  CHECK_FALSE(live_now(nullptr).as_of(instant{1000h}, cutover).slot);
  CHECK_FALSE(live_now(nullptr).is_known());
}

TEST_CASE("what_was_slow_on_the_live_slot_can_be_asked_again_and_not_what_the_slot_before_took") {
  traffic t = watched({green, cutover});
  t.add(ended(cutover + 5, 2, 200, of_green, "/slow"));
  t.add(ended(cutover + 5, 0.1, 200, of_green, "/fast"));
  t.add(ended(cutover + 5, 0.1, 500, of_green, "/failed"));
  t.add(ended(cutover + 5, 20, 200, of_blue, "/old"));
  const pool p = t.take();
  error_memory memory;
  const instant at = instant{} + 100s;
  memory.add(p, at, cutover + 6);
  const error_shares found = of_slow(memory.since(at - 60s));
  REQUIRE(found.sample.size() == 1);
  CHECK(found.sample[0].target == "/slow");
  CHECK(found.errors == 1);
  CHECK(found.safe_errors == 1);
}

TEST_CASE("what_hung_for_a_minute_is_asked_by_when_it_ended") {
  traffic t = watched({green, cutover});
  t.add(ended(cutover + 70, 60, 504, of_green));
  error_memory memory;
  const instant at = instant{} + 100s;
  memory.add(t.take(), at, cutover + 70);
  CHECK(memory.since(at - 5s).sample.size() == 1);
  CHECK(memory.since(at + 5s).sample.empty());
}
