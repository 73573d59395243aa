#include "agent/cli/check_waiting.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace flipback;
using cli::kept;

TEST_CASE("what_is_waited_for_is_what_does_not_pass_and_why") {
  const std::vector<cli::checked> all{{"green", kept(observation::fail(reason::bad_status, "503")), true},
                                      {"redis", kept(observation::pass("PONG")), true},
                                      {"login", kept(observation::unknown(reason::no_resolver, "no\nname server")), true}};
  CHECK(cli::awaited(all) == "green (503), login (no\\nname server)");
  CHECK(cli::awaited({}) == "");
}

TEST_CASE("what_is_kept_of_an_observation_outlives_the_names_that_its_probe_owned") {
  std::string owned = "a_name_too_long_to_be_kept_in_place.targets_down";
  observation seen = observation::pass("one is down");
  seen.measure(owned, 1.0);
  seen.measure("rate", pooled{1, 4});
  seen.measure("nothing", pooled{0, 0});
  const kept found(seen);
  owned.assign(owned.size(), '?');
  CHECK(found.numbers ==
        std::vector<std::pair<std::string, double>>{{"a_name_too_long_to_be_kept_in_place.targets_down", 1}, {"rate", 0.25}});
}
