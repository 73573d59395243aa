#include "agent/cli/check_waiting.hpp"

#include <doctest/doctest.h>

using namespace flipback;

TEST_CASE("what_is_waited_for_is_what_does_not_pass_and_why") {
  const std::vector<cli::checked> all{{"green", observation::fail(reason::bad_status, "503"), true},
                                      {"redis", observation::pass("PONG"), true},
                                      {"login", observation::unknown(reason::no_resolver, "no\nname server"), true}};
  CHECK(cli::awaited(all) == "green (503), login (no\\nname server)");
  CHECK(cli::awaited({}) == "");
}
