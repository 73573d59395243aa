#include "agent/cli/check_selection.hpp"

#include "tests/agent/config/text_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace flipback;
using cli::check_options;

namespace {

const config::configuration& configured() {
  static const config::configuration made = config::good(R"(
[deployment]
live_site = "/etc/nginx/sites-enabled/default"
front_door = { url = "http://127.0.0.1/health", host = "api.example.com", identity = "/version" }
[slots.blue]
url = "http://127.0.0.1:8000"
site = "/etc/nginx/sites-available/blue"
[slots.green]
url = "http://127.0.0.1:8001/"
site = "/etc/nginx/sites-available/green"
checks = ["own-metrics"]
[probes.api]
type = "http"
url = "http://127.0.0.1/api/v1/health"
tags = ["smoke"]
[probes.by-name]
type = "http"
url = "http://api.example.com/ping"
[probes.redis]
type = "redis"
url = "redis://127.0.0.1:6379"
tags = ["smoke"]
[probes.traffic]
type = "access_log"
path = "/var/log/nginx/access.log"
tags = ["users"]
[probes.blue-itself]
type = "http"
url = "http://127.0.0.1:8000/health"
[probes.green-itself]
type = "http"
url = "http://127.0.0.1:8001/health"
[probes.limits]
type = "rate_limit"
url = "http://127.0.0.1/api/v1/properties"
[probes.own-metrics]
type = "exposition"
url = "http://127.0.0.1/metrics"
)");
  return made;
}

/// The lines of the report, by their names, or why there are none.
std::string lines(const check_options& options) {
  const auto found = cli::select(configured(), options);
  if (!found) return found.error();
  std::vector<std::string> names;
  if (found->health_of) names.push_back(found->health_of->name);
  for (const config::probe_entry& p : found->chosen.probes) names.push_back(p.name);
  if (found->rollback) names.emplace_back(cli::rollback_line);
  return fmt::format("{}", fmt::join(names, " "));
}

std::string text_of(const config::probe_entry& of, std::string_view key) {
  return std::get<std::string>(std::get<settings::table>(of.table.value).find(key)->second.value.front().value);
}

}  // namespace

TEST_CASE("all_is_asked_and_whether_a_rollback_could_be_carried_out") {
  CHECK(lines({}) == "api by-name redis traffic blue-itself green-itself limits own-metrics rollback");
}

TEST_CASE("of_a_slot_alone_are_asked_its_health_what_goes_through_it_and_what_both_share") {
  CHECK(lines({.slot = "green"}) == "green api by-name redis green-itself own-metrics");
  CHECK(lines({.slot = "blue"}) == "blue api by-name redis blue-itself");
}

TEST_CASE("what_goes_through_a_slot_asks_that_one_past_nginx_under_the_name_that_users_ask_for") {
  const auto found = cli::select(configured(), {.slot = "green"});
  REQUIRE(found);
  for (const config::probe_entry& p : found->chosen.probes) {
    CAPTURE(p.name);
    if (p.name == "api" || p.name == "by-name") {
      CHECK(text_of(p, "url") == (p.name == "api" ? "http://127.0.0.1:8001/api/v1/health" : "http://127.0.0.1:8001/ping"));
      CHECK(text_of(p, "host") == "api.example.com");
    }
    if (p.name == "redis") CHECK(text_of(p, "url") == "redis://127.0.0.1:6379");
  }
}

TEST_CASE("names_and_tags_select_among_what_is_asked_of_a_slot") {
  CHECK(lines({.only = {"smoke"}, .slot = "green"}) == "api redis");
  CHECK(lines({.only = {"green"}, .slot = "green"}) == "green");
  CHECK(lines({.skip = {"green", "smoke", "traffic"}, .slot = "green"}) == "by-name green-itself own-metrics");
}

TEST_CASE("what_tells_nothing_of_a_slot_is_not_asked_with_it_by_name_either") {
  for (const char* word : {"traffic", "users", "blue-itself", "limits", "rollback"}) {
    CHECK(lines({.only = {"api", word}, .slot = "green"}) ==
          fmt::format("--only: {} does not tell of green alone, and is not asked with --slot: leave one of the two out", word));
  }
}

TEST_CASE("a_slot_that_is_none_is_refused_with_those_that_are") {
  CHECK(lines({.slot = "gren"}) == "found --slot \"gren\", which is no slot, expected blue or green; did you mean green?");
  config::configuration none;
  none.file = "flipback.toml";
  const auto found = cli::select(none, {.slot = "green"});
  REQUIRE_FALSE(found);
  CHECK(found.error() ==
        "found --slot \"green\", and no slots in flipback.toml: expected a configuration with [deployment] and [slots.green]");
}

TEST_CASE("a_word_that_selects_nothing_is_refused_with_the_nearest") {
  CHECK(lines({.only = {"apo"}}) == "--only: no probe or tag is called apo; did you mean api?");
  CHECK(lines({.skip = {"gren"}, .slot = "green"}) == "--skip: no probe or tag is called gren; did you mean green?");
  CHECK(lines({.only = {"api"}, .skip = {"smoke"}}) == "no probe is left to check");
}
