#include "probes/prometheus/rules.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace flipback;
namespace json = boost::json;

namespace {

constexpr std::string_view groups = R"({"groups":[{"name":"g","rules":[
  {"type":"alerting","name":"High","health":"ok","alerts":[
    {"labels":{"alertname":"High","severity":"critical","team":"api"},"state":"firing"},
    {"labels":{"alertname":"High","severity":"critical","team":"db"},"state":"firing"},
    {"labels":{"alertname":"High","severity":"page"},"state":"pending"}]},
  {"type":"alerting","name":"Watchdog","health":"ok","alerts":[{"labels":{"alertname":"Watchdog","severity":"none"},"state":"firing"}]},
  {"type":"alerting","name":"New","health":"unknown","alerts":[]},
  {"type":"recording","name":"r:broken","health":"err","lastError":"many-to-many matching not allowed"},
  {"type":"recording","name":"r:new","health":"unknown"}]}]})";

prometheus::rules_state read(const prometheus::alert_filter& filter) {
  const auto found = prometheus::read_rules(json::parse(groups), filter);
  REQUIRE(found.has_value());
  return *found;
}

}  // namespace

TEST_CASE("alerts_are_counted_by_name_and_severity") {
  const auto all = read({});
  REQUIRE(all.firing.size() == 2);
  CHECK(all.firing[0].name == "High");
  CHECK(all.firing[0].count == 2);
  CHECK(all.firing_count() == 3);
  CHECK(all.firing_count("critical") == 2);
  CHECK(all.firing_count("page") == 0);
  CHECK(all.pending == 1);
}

TEST_CASE("a_filter_takes_alerts_whose_labels_have_one_of_its_values") {
  CHECK(read({{}, {"Watchdog"}}).firing_count() == 2);
  CHECK(read({{{"severity", {"critical", "page"}}}, {}}).firing_count() == 2);
  CHECK(read({{{"severity", {"critical", "page"}}}, {}}).pending == 1);
  CHECK(read({{{"severity", {"critical"}}, {"team", {"db"}}}, {}}).firing_count() == 1);
  CHECK(read({{{"team", {""}}}, {"Watchdog"}}).firing_count() == 0);  // a label that is not there is empty, as in PromQL
  CHECK(read({{{"team", {""}}}, {}}).firing_count() == 1);
}

TEST_CASE("broken_rules_have_their_error_and_what_was_never_evaluated_is_told_from_what_is_well") {
  const auto all = read({});
  CHECK(all.rules == 5);
  CHECK(all.unevaluated == 1);
  REQUIRE(all.broken.size() == 1);
  CHECK(all.broken[0].name == "r:broken");
  CHECK(all.broken[0].error == "many-to-many matching not allowed");
}

TEST_CASE("rules_of_another_shape_harm_nobody") {
  CHECK_FALSE(prometheus::read_rules(json::parse("[]"), {}).has_value());
  CHECK(prometheus::read_rules(json::parse(R"({"groups":[1,{"rules":[1,{"type":"alerting","alerts":[1,{"labels":[]}]}]}]})"), {})
            ->firing.empty());
}
