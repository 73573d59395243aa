#include "agent/replay/queried.hpp"

#include "agent/replay/moments.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace flipback;
using namespace flipback::replay;
using namespace std::chrono;

namespace {

constexpr std::int64_t begin = 1'795'762'000;

struct given {
  std::string labels;
  std::vector<std::pair<int, std::string>> points;
};

std::string answer(const std::vector<given>& series) {
  std::string all;
  for (const given& s : series) {
    std::string points;
    for (const auto& [at, value] : s.points) points += fmt::format("{}[{},\"{}\"]", points.empty() ? "" : ",", begin + at, value);
    all += fmt::format(R"({}{{"metric":{{{}}},"values":[{}]}})", all.empty() ? "" : ",", s.labels, points);
  }
  return fmt::format(R"({{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}})", all);
}

tracks of(const std::vector<given>& series, bool alone = false) {
  tracks made;
  REQUIRE(made.add(answer(series), alone));
  return made;
}

/// "(0,10] 5; (10,20] -", seconds since the begin.
std::string shown(const std::vector<sample>& all) {
  std::string made;
  for (const sample& s : all) {
    const auto since = [](instant at) { return to_seconds(at - instant_of(begin * 1000)); };
    made += fmt::format("{}({},{}] ", made.empty() ? "" : "; ", since(s.from), since(s.at));
    if (!s.value)
      made += "-";
    else if (const auto* ratio = std::get_if<pooled>(&*s.value))
      made += fmt::format("{}/{}", ratio->numerator, ratio->denominator);
    else
      made += fmt::format("{}", std::get<double>(*s.value));
  }
  return made;
}

std::string value(const std::vector<std::pair<int, std::string>>& points, nanoseconds covers = {}) {
  tracks one = of({{"", points}}, true);
  return shown(samples_of(one, covers));
}

}  // namespace

TEST_CASE("a_sample_speaks_of_the_time_since_the_one_before") {
  CHECK(value({{10, "1"}, {20, "2"}}) == "(0,10] 1; (10,20] 2");
  CHECK(value({{10, "1"}, {20, "2"}}, 60s) == "(-60,10] 1; (-50,20] 2");
  CHECK(value({{10, "1"}}) == "(10,10] 1");
}

TEST_CASE("what_is_no_number_or_missing_is_not_known") {
  CHECK(value({{10, "1"}, {20, "NaN"}, {30, "-Inf"}}) == "(0,10] 1; (10,20] -; (20,30] -");
  CHECK(value({{10, "1"}, {20, "2"}, {50, "3"}, {60, "4"}}) == "(0,10] 1; (10,20] 2; (20,30] -; (20,50] 3; (50,60] 4");
}

TEST_CASE("answers_that_follow_each_other_are_one") {
  tracks one = of({{"", {{20, "2"}, {30, "3"}}}}, true);
  REQUIRE(one.add(answer({{"", {{10, "1"}, {20, "2"}}}}), true));
  CHECK(shown(samples_of(one, {})) == "(0,10] 1; (10,20] 2; (20,30] 3");
}

TEST_CASE("a_ratio_is_what_counters_grew_by_series_by_series") {
  tracks errors = of({{R"("instance":"a")", {{10, "5"}, {20, "7"}, {30, "1"}}}});
  tracks requests =
      of({{R"("instance":"a")", {{10, "100"}, {20, "110"}, {30, "4"}}}, {R"("instance":"b")", {{10, "50"}, {20, "80"}, {30, "90"}}}});
  CHECK(shown(samples_of(errors, requests, {})) == "(0,10] -; (10,20] 2/40; (20,30] 1/14");
}

TEST_CASE("an_error_that_is_a_targets_first_counts_and_a_target_that_is_new_does_not") {
  tracks errors = of({{R"("instance":"a")", {{20, "3"}, {30, "3"}}}, {R"("instance":"c")", {{30, "9"}}}});
  tracks requests = of({{R"("instance":"a")", {{10, "100"}, {20, "110"}, {30, "120"}}}, {R"("instance":"c")", {{30, "900"}}}});
  CHECK(shown(samples_of(errors, requests, {})) == "(0,10] -; (10,20] 3/10; (20,30] 0/10");
}

TEST_CASE("what_comes_in_a_gap_is_told_of_nothing") {
  tracks errors = of({{"", {{10, "1"}, {20, "2"}, {50, "9"}, {60, "10"}}}});
  tracks requests = of({{"", {{10, "10"}, {20, "20"}, {50, "90"}, {60, "100"}}}});
  CHECK(shown(samples_of(errors, requests, {})) == "(0,10] -; (10,20] 1/10; (20,30] -; (20,50] -; (50,60] 1/10");
}

TEST_CASE("several_series_are_no_number") {
  tracks one;
  const auto added = one.add(answer({{R"("a":"1")", {{10, "1"}}}, {R"("a":"2")", {{10, "1"}}}}), true);
  REQUIRE_FALSE(added);
  CHECK(added.error() == "the answer has 2 series, expected one: sum(…), max(…) or the like makes one of them");
  CHECK(one.add(R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1795762000000,"1"]]}]}})", true)
            .error() == "has the time 1795762000000, expected a time from 2000 to 2200, in seconds since 1970");
}
