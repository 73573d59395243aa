#include "agent/config/validate.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace flipback;

namespace {

config::configuration from_environment(const config::environment& variables, settings::diagnostics& problems) {
  return config::validate("", {variables}, problems);
}

std::vector<std::string> names_of(const config::configuration& read) {
  std::vector<std::string> found;
  for (const config::probe_entry& p : read.probes) found.push_back(p.name);
  return found;
}

/// What a probe's table has under a key; "none" where it has no such key.
std::string value_in(const config::configuration& read, std::string_view probe, const std::string& key) {
  const auto at = std::ranges::find(read.probes, probe, &config::probe_entry::name);
  if (at == read.probes.end()) return "no such probe";
  const auto& members = std::get<settings::table>(at->table.value);
  const auto found = members.find(key);
  return found == members.end() ? "none" : std::get<std::string>(found->second.value.front().value);
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
  CHECK(read.notes.empty());
  CHECK(names_of(read) == std::vector<std::string>{"postgres", "redis", "api", "api-detailed", "keycloak"});
}

TEST_CASE("the_runbooks_ten_checks_come_in_its_order_and_airflow_and_sentry_after_them") {
  settings::diagnostics problems;
  const auto read = from_environment({{"POSTGRES_HOST", "db"},
                                      {"REDIS_URL", "redis://cache:6379"},
                                      {"API_URL", "http://api:8000"},
                                      {"KEYCLOAK_URL", "https://sso:8080/auth/"},
                                      {"QDRANT_URL", "http://qdrant:6333"},
                                      {"QDRANT__SERVICE__API_KEY", "hunter2"},
                                      {"MINIO_ENDPOINT", "minio:9000"},
                                      {"MINIO_ROOT_USER", "root"},
                                      {"MINIO_ROOT_PASSWORD", "hunter2"},
                                      {"NEO4J_URI", "neo4j://graph:7687"},
                                      {"NEO4J_AUTH", "neo4j/hunter/2"},
                                      {"PROMETHEUS_URL", "http://prometheus:9090"},
                                      {"GRAFANA_URL", "http://grafana:3000"},
                                      {"GF_SECURITY_ADMIN_USER", "admin"},
                                      {"GF_SECURITY_ADMIN_PASSWORD", "hunter2"},
                                      {"AIRFLOW_URL", "http://airflow:8080"},
                                      {"_AIRFLOW_WWW_USER_USERNAME", "airflow"},
                                      {"_AIRFLOW_WWW_USER_PASSWORD", "hunter2"},
                                      {"SENTRY_DSN", "https://0123456789abcdef@o1.ingest.de.sentry.io/42"},
                                      {"SENTRY_AUTH_TOKEN", "hunter2"},
                                      {"SENTRY_ORG", "estate"}},
                                     problems);
  for (const settings::problem& p : problems.sorted()) FAIL_CHECK(settings::to_string(p));
  CHECK(names_of(read) == std::vector<std::string>{"postgres", "redis", "api", "api-detailed", "keycloak", "qdrant", "minio", "neo4j",
                                                   "prometheus", "grafana", "airflow", "sentry"});
  const auto value = [&](std::string_view probe, const char* key) {
    const auto at = std::ranges::find(read.probes, probe, &config::probe_entry::name);
    return std::get<std::string>(std::get<settings::table>(at->table.value).at(key).value.front().value);
  };
  CHECK(value("api-detailed", "url") == "http://api:8000/api/v1/health");
  CHECK(value("keycloak", "url") == "https://sso:8080/auth/realms/master/protocol/openid-connect/certs");
  CHECK(value("neo4j", "user") == "neo4j");
  CHECK(value("neo4j", "password") == "hunter/2");
  CHECK(value("minio", "url") == "http://minio:9000");
  CHECK(value("sentry", "url") == "https://de.sentry.io");
  CHECK(value("sentry", "project") == "42");
}

TEST_CASE("credentials_come_whole_or_not_at_all") {
  settings::diagnostics problems;
  const auto read = from_environment({{"MINIO_ENDPOINT", "minio:9000"},
                                      {"MINIO_ACCESS_KEY", "api"},  // without its MINIO_SECRET_KEY: the other pair is whole
                                      {"MINIO_ROOT_USER", "root"},
                                      {"MINIO_ROOT_PASSWORD", "hunter2"},
                                      {"MINIO_SECURE", "True"},
                                      {"GRAFANA_URL", "http://grafana:3000"},
                                      {"GF_SECURITY_ADMIN_USER", "admin"},
                                      {"KEYCLOAK_URL", "http://keycloak:8080"},
                                      {"KEYCLOAK_ISSUER", "https://sso.example.com/realms/estate"},
                                      {"KEYCLOAK_CLIENT_ID", "api-client"}},
                                     problems);
  for (const settings::problem& p : problems.sorted()) FAIL_CHECK(settings::to_string(p));
  const auto keys = [&](std::string_view probe) {
    const auto at = std::ranges::find(read.probes, probe, &config::probe_entry::name);
    std::vector<std::string> found;
    for (const auto& [key, member] : std::get<settings::table>(at->table.value)) found.push_back(key);
    return found;
  };
  CHECK(keys("minio") == std::vector<std::string>{"access_key", "secret_key", "url"});
  CHECK(keys("grafana") == std::vector<std::string>{"url"});
  CHECK(keys("keycloak") == std::vector<std::string>{"address", "issuer"});
}

TEST_CASE("nothing_to_watch_is_a_problem") {
  settings::diagnostics problems;
  from_environment({{"HOME", "/root"}, {"API_URL", ""}}, problems);
  REQUIRE(problems.sorted().size() == 1);
  CHECK(settings::to_string(problems.sorted()[0])
            .starts_with("nothing to do: there is no configuration file (--config FILE), and none of POSTGRES_HOST"));
}

TEST_CASE("a_wrong_variable_is_named_without_its_value") {
  settings::diagnostics problems;
  from_environment({{"API_URL", "hunter2"}}, problems);
  REQUIRE(problems.sorted().size() == 2);  // two probes have it
  CHECK(settings::to_string(problems.sorted()[0]) ==
        "API_URL: probes.api.url: found \"${API_URL}\", which does not begin with http://, https:// or http+unix://");
}

TEST_CASE("a_placeholder_costs_its_own_probe_alone") {
  settings::diagnostics problems;
  const auto read = from_environment({{"API_URL", "http://127.0.0.1:8000"}, {"SENTRY_DSN", "<dsn>"}}, problems);
  for (const settings::problem& p : problems.sorted()) FAIL_CHECK(settings::to_string(p));
  CHECK(names_of(read) == std::vector<std::string>{"api", "api-detailed", "sentry"});
  CHECK(read.notes ==
        std::vector<std::string>{"sentry can't be asked: SENTRY_DSN: probes.sentry.url: found \"${SENTRY_DSN}\", which does not "
                                 "begin with http://, https:// or http+unix://"});
}

TEST_CASE("the_names_that_amazons_clients_and_applications_use_are_known") {
  settings::diagnostics problems;
  const auto own = from_environment({{"S3_ENDPOINT_URL", "http://minio:9000"},
                                     {"AWS_ENDPOINT_URL", "http://elsewhere:4566"},
                                     {"AWS_ACCESS_KEY_ID", "api"},
                                     {"AWS_SECRET_ACCESS_KEY", "hunter2"},
                                     {"AWS_SESSION_TOKEN", "hunter3"},
                                     {"AWS_DEFAULT_REGION", "eu-west-1"},
                                     {"S3_BUCKET", "documents"}},
                                    problems);
  const auto amazons = from_environment({{"AWS_STORAGE_BUCKET_NAME", "media"},
                                         {"AWS_REGION", "eu-central-1"},
                                         {"AWS_ACCESS_KEY_ID", "api"},
                                         {"AWS_SECRET_ACCESS_KEY", "hunter2"}},
                                        problems);
  for (const settings::problem& p : problems.sorted()) FAIL_CHECK(settings::to_string(p));
  CHECK(names_of(own) == std::vector<std::string>{"s3"});
  CHECK(value_in(own, "s3", "url") == "http://minio:9000");
  CHECK(value_in(own, "s3", "secret_key") == "hunter2");
  CHECK(value_in(own, "s3", "session_token") == "hunter3");
  CHECK(value_in(own, "s3", "region") == "eu-west-1");
  CHECK(value_in(own, "s3", "buckets") == "documents");
  CHECK(value_in(amazons, "s3", "url") == "https://s3.eu-central-1.amazonaws.com");
  CHECK(value_in(amazons, "s3", "buckets") == "media");
}

TEST_CASE("an_applications_address_of_its_database_is_enough_where_it_is_postgresql") {
  settings::diagnostics problems;
  const auto one = from_environment({{"DATABASE_URL", "postgresql+asyncpg://api:hunter2@db/estate?ssl=require"}}, problems);
  const auto other = from_environment({{"DATABASE_URL", "mysql://api:hunter2@db/estate"}, {"DB_DSN", "postgres://db"}}, problems);
  const auto runbooks = from_environment({{"DATABASE_URL", "postgres://db"}, {"POSTGRES_HOST", "127.0.0.1"}}, problems);
  for (const settings::problem& p : problems.sorted()) FAIL_CHECK(settings::to_string(p));
  CHECK(value_in(one, "postgres", "url") == "postgresql+asyncpg://api:hunter2@db/estate?ssl=require");
  CHECK(value_in(other, "postgres", "url") == "postgres://db");
  CHECK(names_of(runbooks) == std::vector<std::string>{"postgres"});
  CHECK(value_in(runbooks, "postgres", "host") == "127.0.0.1");
}

TEST_CASE("neo4js_credentials_are_known_as_clients_name_them") {
  settings::diagnostics problems;
  const auto read = from_environment(
      {{"NEO4J_URI", "bolt://graph:7687"}, {"NEO4J_USERNAME", "api"}, {"NEO4J_PASSWORD", "hunter2"}, {"NEO4J_AUTH", "neo4j/hunter3"}},
      problems);
  for (const settings::problem& p : problems.sorted()) FAIL_CHECK(settings::to_string(p));
  CHECK(value_in(read, "neo4j", "user") == "api");
  CHECK(value_in(read, "neo4j", "password") == "hunter2");
}
