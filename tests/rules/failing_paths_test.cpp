// A ratio of each path: one that surely fails, and did not before, is told; whatever the others do.

#include "rules/built_in.hpp"
#include "tests/rules/story.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace flipback;
using namespace flipback::rules;
using namespace flipback::rules::story_telling;

namespace {

constexpr const char* by_path = "traffic.error_rate_by_path";

catalogue with_paths() {
  catalogue all = traffic_signals();
  all.add({by_path, signal_kind::ratios, unit::ratio, seconds(15), 0, by_path});
  return all;
}

struct paths {
  explicit paths(std::vector<rule_source> rules = {}) {
    settings::diagnostics problems;
    if (rules.empty()) rules = {built_in()};
    judged = engine(compile(rules, with_paths(), problems));
    for (const auto& p : problems.sorted()) FAIL(to_string(p));
  }
  static rule_source built_in() {
    const rule_set set = with_built_ins({}, with_paths(), true);
    const auto found = std::ranges::find(set.on, "path-errors", &rule_source::name);
    REQUIRE(found != set.on.end());
    return *found;
  }
  /// Errors and requests of each, every `step` seconds.
  void passes(int count, const std::map<std::string, std::pair<unsigned, unsigned>>& each) {
    for (int i = 0; i < count; ++i) {
      ratios came;
      for (const auto& [path, counts] : each) came.push_back({std::make_shared<const std::string>(path), counts.first, counts.second});
      ++now;
      judged.add(*judged.series_named(by_path), {story::at(now - 1), story::at(now), std::make_shared<const ratios>(std::move(came))});
      judged.settle(story::at(now));
    }
  }
  [[nodiscard]] verdict is() const { return judged.verdict_of(0); }
  [[nodiscard]] std::string says() { return judged.explain(0, story::at(now)).says; }

  engine judged;
  double now = 0;
};

}  // namespace

TEST_CASE("a_path_that_surely_fails_is_told_though_all_else_goes_well") {
  paths p;
  p.passes(300, {{"/", {1, 300}}, {"/checkout", {1, 1}}});
  CHECK(p.is() == verdict::breached);
  CHECK(p.says() == "traffic.error_rate_by_path over 5m of /checkout is 100% (300 of 300), surely above 50%");
}

TEST_CASE("the_whole_of_five_minutes_must_show_it") {
  paths p;
  p.passes(239, {{"/checkout", {1, 1}}});
  CHECK(p.is() == verdict::ok);
  p.passes(61, {{"/checkout", {1, 1}}});
  CHECK(p.is() == verdict::breached);
}

TEST_CASE("fewer_than_twenty_errors_and_half_of_the_requests_are_not_enough") {
  paths few;
  for (int i = 0; i < 19; ++i) {
    few.passes(1, {{"/checkout", {1, 1}}});
    few.passes(15, {});
  }
  CHECK(few.is() == verdict::ok);
  CHECK(few.says() == "traffic.error_rate_by_path over 5m: none has 20 errors");
  paths half;
  half.passes(400, {{"/checkout", {1, 2}}});
  CHECK(half.is() == verdict::ok);
  CHECK(half.says() == "traffic.error_rate_by_path over 5m of /checkout is 50% (300 of 600), not surely above 50%");
}

TEST_CASE("what_failed_before_the_cutover_already_is_not_told") {
  paths p;
  p.passes(600, {{"/old", {1, 3}}, {"/checkout", {1, 100}}});
  p.judged.cutover(story::at(p.now));
  p.passes(400, {{"/old", {1, 1}}});
  CHECK(p.is() == verdict::ok);
  CHECK(p.says().ends_with("not surely above 50%, or as it was before the cutover already"));
  p.passes(300, {{"/old", {1, 1}}, {"/checkout", {2, 2}}});
  CHECK(p.is() == verdict::breached);
  CHECK(p.says().contains("of /checkout is 100% (600 of 600), surely above 50%"));
}

TEST_CASE("of_several_the_one_that_is_sure_speaks_and_not_the_one_with_most_errors") {
  paths p;
  p.passes(300, {{"/a", {3, 9}}, {"/b", {1, 1}}, {"/c", {2, 6}}});
  CHECK(p.is() == verdict::breached);
  CHECK(p.says().contains("of /b is"));
}

TEST_CASE("a_breach_by_path_ends_once_no_path_fails_any_more") {
  paths p;
  p.passes(300, {{"/checkout", {1, 1}}});
  REQUIRE(p.is() == verdict::breached);
  p.passes(20, {{"/checkout", {4, 10}}});  // one bad fifth less ends it not yet
  CHECK(p.is() == verdict::breached);
  p.passes(70, {{"/checkout", {0, 1}}});
  CHECK(p.is() == verdict::ok);
}

TEST_CASE("what_is_known_by_path_outlives_a_reload") {
  paths p;
  p.passes(100, {{"/old", {1, 1}}});
  p.judged.cutover(story::at(p.now));
  paths next;
  next.judged.adopt(std::move(p.judged));
  next.now = p.now;
  next.passes(300, {{"/old", {1, 1}}});
  CHECK(next.is() == verdict::ok);
}

TEST_CASE("a_ratio_of_each_path_is_no_number") {
  const auto complaint = [](const char* when, consequence then = consequence::alert) {
    rule_source r;
    r.name = "r";
    r.when.text = when;
    r.then = then;
    settings::diagnostics problems;
    compile(std::vector{r}, with_paths(), problems);
    std::string all;
    for (const auto& each : problems.sorted()) all += to_string(each);
    return all;
  };
  CHECK(complaint("traffic.error_rate_by_path over 5m > 50%").contains("expected surely(traffic.error_rate_by_path over 5m > 50%)"));
  CHECK(complaint("count(traffic.error_rate_by_path over 5m) > 50").contains("expected surely("));
  CHECK(complaint("worse(traffic.error_rate_by_path over 5m)").contains("expected surely("));
  CHECK(complaint("surely(traffic.error_rate_by_path over 5m > 50%)", consequence::rollback).contains("expected then = \"alert\""));
  CHECK(complaint("surely(traffic.error_rate_by_path over 5m > 50%)").empty());
}
