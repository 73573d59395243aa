#include "agent/incident/picture.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

using namespace flipback;
using namespace std::chrono_literals;
using namespace flipback::incident;

namespace {

const wall_time noon{std::chrono::seconds(1'700'000'000)};

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t times = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++times;
  return times;
}

happening verdict(wall_time at, const char* to, const std::string& rule = "error-rate") {
  event e{"verdict.changed", severity::critical, rule + " is " + to, {}};
  e.with("rule", rule).with("to", std::string(to)).with("then", std::string("rollback")).with("incident", std::string("id"));
  return {at, e};
}

happening piece(const std::string& rule, const std::string& points) {
  event e{"evidence.rule", severity::debug, "", {}};
  e.with("rule", rule)
      .with("unit", std::string("ratio"))
      .with("points", points)
      .with("threshold", 0.05)
      .with("incident", std::string("id"));
  return {noon, e};
}

}  // namespace

TEST_CASE("a_picture_has_a_panel_for_each_rule_of_the_incident_and_for_no_other") {
  const std::string values = "[[1700000000000,0.01],[1700000005000,0.2],[1700000010000,null],[1700000015000,0.3]]";
  const report r =
      report_of({verdict(noon, "pending"), verdict(noon + 5s, "breached"), piece("error-rate", values), piece("latency", values)});
  const std::string svg = as_svg(r);
  CHECK(count(svg, "<path class=\"value\"") == 1);
  CHECK(count(svg, ">error-rate</text>") == 1);
  CHECK(count(svg, ">latency</text>") == 0);
  CHECK(count(svg, ">5%</text>") == 1);
  CHECK(count(svg, "class=\"limit\"") == 1);
  CHECK(count(svg, "M") >= 2);  // broken where nothing is known
  CHECK(count(svg, "pending") == 1);
  CHECK(count(svg, "breached") >= 1);
}

TEST_CASE("strangers_words_are_text_in_a_picture") {
  const std::string name = "<script>&\"";
  const report r = report_of({verdict(noon, "breached", name), piece(name, "[[1700000000000,1]]"), piece(name, "[[1700000000000,1.0]]")});
  const std::string svg = as_svg(r);
  CHECK(count(svg, "<script") == 0);
  CHECK(count(svg, "&lt;script&gt;&amp;&quot;") >= 1);
}

TEST_CASE("without_values_a_picture_says_so") {
  const std::string svg = as_svg(report_of({verdict(noon, "breached")}));
  CHECK(count(svg, "No value of its rules is on record") == 1);
  CHECK(count(svg, "<path class=\"value\"") == 0);
}

TEST_CASE("a_picture_of_years_has_a_bounded_number_of_times") {
  const report r =
      report_of({verdict(noon, "breached"), piece("error-rate", "[[-9000000000000,0.5],[9000000000000,0.5],[9000000000001,0.5]]")});
  CHECK(as_svg(r).size() < 40'000);
}

TEST_CASE("a_picture_of_which_nothing_is_known_is_one_all_the_same") {
  const report r = report_of({{noon, event{"incident.began", severity::info, "", {}}}});
  CHECK(count(as_svg(r), "No value of its rules is on record") == 1);
}

TEST_CASE("what_is_drawn_stays_within_its_panel") {
  happening below = piece("error-rate", "[[1700000000000,-3.5],[1700000005000,0.5]]");
  for (auto& [name, value] : below.what.fields) {
    if (name == "threshold") value = -1000.0;
  }
  const std::string svg = as_svg(report_of({verdict(noon, "breached"), below}));
  CHECK(count(svg, R"(y1="234.0" y2="234.0")") == 1);
  CHECK(count(svg, "=\"-") == 0);
}

TEST_CASE("strangers_words_are_text_at_a_turning_point_too") {
  event closed{"rollback.closed", severity::critical, "", {}};
  closed.with("outcome", std::string("<script>")).with("incident", std::string("id"));
  const std::string svg = as_svg(report_of({verdict(noon, "breached"), {noon + 5s, closed}, piece("error-rate", "[[1700000000000,0.5]]")}));
  CHECK(count(svg, "<script") == 0);
  CHECK(count(svg, "breached · &lt;script&gt;</text>") == 1);
}

TEST_CASE("points_that_lie_far_apart_are_not_joined") {
  const auto lines = [](const std::string& points) {
    return count(as_svg(report_of({verdict(noon, "breached"), piece("error-rate", points)})), "L");
  };
  CHECK(lines("[[1700000000000,0.1],[1700000005000,0.2],[1700000010000,0.3]]") == 2);
  CHECK(lines("[[1700000000000,0.1],[1700000005000,0.2],[1700000300000,0.3]]") == 1);
}

TEST_CASE("the_cutover_before_it_is_in_a_picture_that_reaches_so_far_back") {
  const auto drawn = [](double ago) {
    event began{"incident.began", severity::info, "", {}};
    began.with("live", std::string("green")).with("release", std::string("v2")).with("cutover_ago", ago);
    return report_of({{noon, began}, verdict(noon, "breached"), piece("error-rate", "[[1700000000000,0.5]]")});
  };
  CHECK(count(as_svg(drawn(300)), ">cutover</text>") == 1);
  CHECK(count(as_svg(drawn(3600)), "cutover") == 0);
  CHECK(count(as_text(drawn(300)), "green with v2 was put live at 22:08:20.000 UTC, 5m before") == 1);
  for (const double odd : {-1.0, 1e300, std::numeric_limits<double>::quiet_NaN()}) CHECK_FALSE(drawn(odd).cutover);
}
