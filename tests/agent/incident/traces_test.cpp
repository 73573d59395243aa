#include "agent/incident/traces.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <limits>

using namespace flipback;
using namespace std::chrono_literals;
using incident::traces;
namespace json = boost::json;

namespace {

const wall_time noon{std::chrono::seconds(1'700'000'000)};

std::size_t points_of(const traces& t, const char* rule) {
  return t.as_object().at("rules").at(rule).at("points").as_array().size();
}

}  // namespace

TEST_CASE("a_trace_has_every_value_with_its_time_and_keeps_the_limit_that_was_known_last") {
  traces t;
  t.take({{"error-rate", 0.25, 0.05, unit::ratio}}, noon);
  t.take({{"error-rate", std::nullopt, std::nullopt, unit::number}}, noon + 5s);
  t.take({{"error-rate", std::numeric_limits<double>::infinity(), std::nullopt, unit::ratio}}, noon + 10s);
  const json::object page = t.as_object();
  CHECK(
      json::serialize(page) ==
      R"({"every":5E0,"rules":{"error-rate":{"unit":"ratio","threshold":5E-2,"points":[[1700000000000,2.5E-1],[1700000005000,null],[1700000010000,null]]}},"marks":[]})");
}

TEST_CASE("a_trace_is_bounded_in_time_and_number") {
  traces t;
  for (int i = 0; i < 1000; ++i) t.take({{"error-rate", 1.0, 2.0, unit::number}}, noon + i * 5s);
  CHECK(points_of(t, "error-rate") == traces::most_points);
  for (int i = 0; i < 1000; ++i) t.take({{"error-rate", 1.0, 2.0, unit::number}}, noon + 5000s);
  CHECK(points_of(t, "error-rate") == traces::most_points);
  t.take({{"error-rate", 1.0, 2.0, unit::number}}, noon + 2h);
  CHECK(points_of(t, "error-rate") == 1);
}

TEST_CASE("a_rule_that_is_gone_is_forgotten") {
  traces t;
  t.take({{"a", 1.0, 2.0, unit::number}, {"b", 1.0, 2.0, unit::number}}, noon);
  t.take({{"b", 1.0, 2.0, unit::number}}, noon + 5s);
  CHECK(t.as_object().at("rules").as_object().size() == 1);
  CHECK(points_of(t, "b") == 2);
}

TEST_CASE("cutovers_rollbacks_and_holds_are_marks_and_bounded") {
  traces t;
  t.take(event{"probe.changed", severity::info, "redis fails", {}}, noon);
  t.take(event{"deployment.cutover", severity::info, "green is live\x1b[2J", {}}, noon);
  CHECK(json::serialize(t.as_object().at("marks")) == R"([{"at":1700000000000,"kind":"cutover","says":"green is live [2J"}])");
  for (int i = 0; i < 1000; ++i) t.take(event{"rollback.held", severity::info, std::string(5000, 'x'), {}}, noon + 1s);
  const json::array marks = t.as_object().at("marks").as_array();
  CHECK(marks.size() == traces::most_marks);
  CHECK(marks.back().at("says").as_string().size() < traces::longest_mark + 4);
  t.take(event{"rollback.freed", severity::info, "free", {}}, noon + 31min);
  CHECK(t.as_object().at("marks").as_array().size() == 1);
}
