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
  for (const char* failing : {"/b", "/a"}) made.failing_requests.add(failing);
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
  CHECK(seen.measurements.size() == 19);
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
