#include "probes/prometheus/targets.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace flipback;
using prometheus::read_targets;
namespace json = boost::json;

namespace {

bool any(std::string_view /*job*/) {
  return true;
}

constexpr std::string_view listed = R"({"activeTargets":[
  {"scrapePool":"a","labels":{"instance":"x:1"},"health":"down","lastError":"Get \"http://x:1/metrics?token=t\": dial tcp: connection refused"},
  {"scrapePool":"a","labels":{"instance":"x:2"},"health":"up","lastError":""},
  {"scrapePool":"b","labels":{"instance":"x:3"},"health":"unknown","lastError":""}]})";

}  // namespace

TEST_CASE("targets_are_counted_and_why_one_is_down_is_told_without_its_address") {
  const auto seen = read_targets(json::parse(listed), any);
  REQUIRE(seen.has_value());
  CHECK(seen->all == 3);
  CHECK(seen->up() == 1);
  CHECK(seen->unscraped == 1);
  REQUIRE(seen->down.size() == 1);
  CHECK(seen->down[0].job == "a");
  CHECK(seen->down[0].instance == "x:1");
  CHECK(seen->down[0].error == "dial tcp: connection refused");
}

TEST_CASE("other_jobs_targets_do_not_count_though_an_older_server_gives_them_too") {
  const auto seen = read_targets(json::parse(listed), [](std::string_view job) { return job == "b"; });
  REQUIRE(seen.has_value());
  CHECK(seen->all == 1);
  CHECK_FALSE(seen->is_known());
}

TEST_CASE("targets_of_several_jobs_add_up") {
  auto sum = *read_targets(json::parse(listed), any);
  sum.add(*read_targets(json::parse(listed), any));
  CHECK(sum.all == 6);
  CHECK(sum.down.size() == 2);
  CHECK(sum.is_known());
}

TEST_CASE("targets_of_another_shape_harm_nobody") {
  CHECK_FALSE(read_targets(json::parse("{}"), any).has_value());
  CHECK(read_targets(json::parse(R"({"activeTargets":[1,{},{"health":7}]})"), any)->unscraped == 3);
  CHECK_FALSE(read_targets(json::parse(R"({"activeTargets":[]})"), any)->is_known());
}
