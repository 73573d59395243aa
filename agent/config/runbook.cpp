#include "agent/config/runbook.hpp"

#include "probes/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace flipback::config {

namespace {

std::string value_of(const environment& from, std::string_view name) {
  const auto found = from.find(name);
  return found == from.end() ? std::string{} : found->second;
}

/// A probe's table as if it had been written by hand with ${NAME}s; the variable is its place.
class written_table {
 public:
  written_table(const environment& from, std::string_view variable) : from_(&from), at_{std::string(variable), 0, 0} {}

  void put(const std::string& key, std::string value, std::string_view variable) {
    settings::node made{std::move(value), {std::string(variable), 0, 0}, members_.size()};
    made.written = fmt::format("${{{}}}", variable);
    members_.insert_or_assign(key, settings::member{made.at, {made}});
  }
  void put_if_set(const std::string& key, std::string_view variable) {
    if (std::string value = value_of(*from_, variable); !value.empty()) put(key, std::move(value), variable);
  }
  [[nodiscard]] std::string own(std::string_view variable) const { return value_of(*from_, variable); }
  [[nodiscard]] settings::node take() { return {std::move(members_), at_, 0}; }

 private:
  const environment* from_;
  settings::position at_;
  settings::table members_;
};

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

void api(written_table& into) {
  into.put("url", without_slash(into.own("API_URL")) + "/health", "API_URL");
}

void postgres(written_table& into) {
  into.put_if_set("host", "POSTGRES_HOST");
  into.put_if_set("port", "POSTGRES_PORT");
  into.put_if_set("database", "POSTGRES_DB");
  into.put_if_set("user", "POSTGRES_USER");
  into.put_if_set("password", "POSTGRES_PASSWORD");
}

void redis(written_table& into) {
  into.put_if_set("url", "REDIS_URL");
  into.put_if_set("password", "REDIS_PASSWORD");
}

void jwks(written_table& into) {
  const std::string realm = into.own("KEYCLOAK_REALM");
  const std::string base = without_slash(into.own("KEYCLOAK_URL"));
  into.put("url", fmt::format("{}/realms/{}/protocol/openid-connect/certs", base, realm.empty() ? "master" : realm), "KEYCLOAK_URL");
}

/// NEO4J_AUTH is "user/password", as the server's own image takes it, or "none".
void neo4j(written_table& into) {
  into.put_if_set("url", "NEO4J_URI");
  const std::string auth = into.own("NEO4J_AUTH");
  const std::size_t slash = auth.find('/');
  if (slash == std::string::npos) return;
  into.put("user", auth.substr(0, slash), "NEO4J_AUTH");
  into.put("password", auth.substr(slash + 1), "NEO4J_AUTH");
}

/// A variable that names a service, and the probe that it asks for. `fill` is null where there is no such probe yet.
struct row {
  std::string_view variable;
  std::string_view name;
  std::string_view type;
  void (*fill)(written_table& into);
};
constexpr std::array<row, 11> rows{{
    {"API_URL", "api", "http", api},
    {"POSTGRES_HOST", "postgres", "postgres", postgres},
    {"REDIS_URL", "redis", "redis", redis},
    {"KEYCLOAK_URL", "keycloak", "jwks", jwks},
    {"PROMETHEUS_URL", "prometheus", "prometheus", nullptr},
    {"QDRANT_URL", "qdrant", "qdrant", nullptr},
    {"MINIO_ENDPOINT", "minio", "s3", nullptr},
    {"NEO4J_URI", "neo4j", "neo4j", neo4j},
    {"AIRFLOW_URL", "airflow", "airflow", nullptr},
    {"GRAFANA_URL", "grafana", "grafana", nullptr},
    {"SENTRY_DSN", "sentry", "sentry", nullptr},
}};

}  // namespace

void add_runbook_probes(const environment& from, configuration& into, settings::diagnostics& problems) {
  std::vector<std::string_view> known;
  for (const row& r : rows) {
    const probe_kind* kind = r.fill == nullptr ? nullptr : find_probe_kind(r.type);
    if (kind != nullptr) known.push_back(r.variable);
    if (value_of(from, r.variable).empty()) continue;
    if (kind == nullptr) {
      into.notes.push_back(
          fmt::format("{} is set, but this version has no probe of type {}: {} is not watched", r.variable, r.type, r.name));
      continue;
    }
    written_table table(from, r.variable);
    r.fill(table);
    probe_entry made;
    made.name = r.name;
    made.type = r.type;
    if (kind->usual_interval != duration{}) made.every = kind->usual_interval;
    made.timeout = std::min(made.timeout, made.every);
    made.table = table.take();
    into.probes.push_back(std::move(made));
  }
  if (!into.probes.empty()) return;
  problems.add({}, fmt::format("nothing to do: there is no configuration file (--config FILE), and none of {} is set in the environment",
                               fmt::join(known, ", ")));
}

}  // namespace flipback::config
