#include "agent/config/validate.hpp"
#include "probes/registry.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace flipback;

namespace {

config::configuration from_environment(const config::environment& variables, settings::diagnostics& problems) {
  return config::validate("", variables, problems);
}

}  // namespace

TEST_CASE("without_a_file_the_runbooks_variables_are_enough") {
  settings::diagnostics problems;
  const auto read = from_environment({{"API_URL", "http://127.0.0.1:8000/"},
                                      {"POSTGRES_HOST", "127.0.0.1"},
                                      {"POSTGRES_PORT", "5433"},
                                      {"POSTGRES_DB", "realestate"},
                                      {"POSTGRES_USER", "api"},
                                      {"POSTGRES_PASSWORD", "hunter2"},
                                      {"REDIS_URL", "redis://127.0.0.1:6379"},
                                      {"REDIS_PASSWORD", "hunter2"},
                                      {"KEYCLOAK_URL", "http://127.0.0.1:8080/"},
                                      {"KEYCLOAK_REALM", "real-estate-os"}},
                                     problems);
  for (const settings::problem& p : problems.sorted()) FAIL_CHECK(settings::to_string(p));
  std::vector<std::string> expected;
  for (const auto& [name, type] : {std::pair{"api", "http"}, {"postgres", "postgres"}, {"redis", "redis"}, {"keycloak", "jwks"}}) {
    if (find_probe_kind(type) != nullptr) expected.emplace_back(name);
  }
  std::vector<std::string> found;
  for (const config::probe_entry& p : read.probes) found.push_back(p.name);
  CHECK(found == expected);
  CHECK(found.size() + read.notes.size() == 4);
}

TEST_CASE("a_service_without_a_probe_is_left_out_and_said") {
  settings::diagnostics problems;
  const auto read = from_environment({{"API_URL", "http://127.0.0.1:8000"}, {"GRAFANA_URL", "http://grafana:3000"}}, problems);
  CHECK(problems.clean());
  CHECK(read.probes.size() == 1);
  CHECK(read.notes ==
        std::vector<std::string>{"GRAFANA_URL is set, but this version has no probe of type grafana: grafana is not watched"});
}

TEST_CASE("nothing_to_watch_is_a_problem") {
  settings::diagnostics problems;
  from_environment({{"HOME", "/root"}, {"API_URL", ""}}, problems);
  REQUIRE(problems.sorted().size() == 1);
  CHECK(settings::to_string(problems.sorted()[0])
            .starts_with("nothing to do: there is no configuration file (--config FILE), and none of API_URL"));
}

TEST_CASE("a_wrong_variable_is_named_without_its_value") {
  settings::diagnostics problems;
  from_environment({{"API_URL", "hunter2"}}, problems);
  REQUIRE(problems.sorted().size() == 1);
  CHECK(settings::to_string(problems.sorted()[0]) ==
        "API_URL: probes.api.url: found \"${API_URL}\", which does not begin with http://, https:// or http+unix://");
}
