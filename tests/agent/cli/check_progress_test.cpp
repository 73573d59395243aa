#include "agent/cli/check_progress.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using cli::checked;

namespace {

std::vector<checked> of(const std::vector<std::pair<std::string, bool>>& lines) {
  std::vector<checked> all;
  for (const auto& [name, ended] : lines) all.push_back({name, cli::kept(observation::pass("")), ended});
  return all;
}

}  // namespace

TEST_CASE("a_line_of_progress_says_how_many_are_answered_and_which_are_awaited") {
  CHECK(cli::progress_line(of({{"api", true}, {"postgres", false}, {"redis", false}}), 80) ==
        "1 of 3 answered, waiting for postgres, redis");
  CHECK(cli::progress_line(of({{"api", false}}), 80) == "0 of 1 answered, waiting for api");
}

TEST_CASE("what_does_not_fit_into_the_line_is_counted") {
  const std::vector<std::string> names{"postgres", "redis", "keycloak", "qdrant"};
  CHECK(cli::listed(names, 100) == "postgres, redis, keycloak, qdrant");
  CHECK(cli::listed(names, 33) == "postgres, redis, keycloak, qdrant");
  CHECK(cli::listed(names, 32) == "postgres, redis and 2 more");
  CHECK(cli::listed(names, 24) == "postgres and 3 more");
  CHECK(cli::listed(names, 0) == "4 more");
  CHECK(cli::listed({}, 10) == "");
}

TEST_CASE("a_line_of_progress_is_never_longer_than_the_screen_is_wide") {
  std::vector<std::pair<std::string, bool>> many;
  for (int i = 0; i < 2000; ++i) many.emplace_back("probe-number-" + std::to_string(i), i % 2 == 0);
  for (const std::size_t columns : {60, 80, 200}) CHECK(cli::progress_line(of(many), columns).size() <= columns);
}

TEST_CASE("a_name_is_shown_and_obeyed_by_no_terminal") {
  CHECK(cli::listed({"a\x1b[2Jb\n"}, 80) == "a\\x1b[2Jb\\n");
}
