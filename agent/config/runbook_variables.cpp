#include "agent/config/runbook_variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace flipback::config {

namespace {

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

void api(written_table& into) {
  into.put("url", without_slash(into.value_of("API_URL")) + "/health", "API_URL");
}

void api_detailed(written_table& into) {
  into.put("url", without_slash(into.value_of("API_URL")) + "/api/v1/health", "API_URL");
}

void postgres(written_table& into) {
  into.put_if_set("host", "POSTGRES_HOST");
  into.put_if_set("port", "POSTGRES_PORT");
  into.put_if_set("database", "POSTGRES_DB");
  into.put_if_set("user", "POSTGRES_USER");
  into.put_if_set("password", "POSTGRES_PASSWORD");
}

/// An application's one address for its database, which may be of another kind: then there is nothing to probe.
void database(written_table& into, std::string_view variable) {
  const std::string url = into.value_of(variable);
  const std::string_view scheme = std::string_view(url).substr(0, url.find("://"));
  const bool is_another = url.contains("://") && !scheme.starts_with("postg");
  if (!is_another) into.put("url", url, variable);
}

void database_url(written_table& into) {
  database(into, "DATABASE_URL");
}

void db_dsn(written_table& into) {
  database(into, "DB_DSN");
}

void redis(written_table& into) {
  into.put_if_set("url", "REDIS_URL");
  into.put_if_set("password", "REDIS_PASSWORD");
}

/// "scheme://host:port" of an address, without its path.
std::string origin_of(const std::string& url) {
  const std::size_t host = url.find("://");
  return host == std::string::npos ? url : url.substr(0, url.find('/', host + 3));
}

/// By the issuer's name where that is told, since it may be another than the address at which we reach it; a token is asked for then.
void keycloak(written_table& into) {
  into.put_if_set("health", "KEYCLOAK_HEALTH_URL");
  if (into.is_set("KEYCLOAK_ISSUER")) {
    into.put_if_set("issuer", "KEYCLOAK_ISSUER");
    into.put("address", origin_of(into.value_of("KEYCLOAK_URL")), "KEYCLOAK_URL");
    into.put_first_whole({{{"client_id", "KEYCLOAK_CLIENT_ID"}, {"client_secret", "KEYCLOAK_CLIENT_SECRET"}}});
    return;
  }
  const std::string realm = into.value_of("KEYCLOAK_REALM");
  const std::string base = without_slash(into.value_of("KEYCLOAK_URL"));
  into.put("url", fmt::format("{}/realms/{}/protocol/openid-connect/certs", base, realm.empty() ? "master" : realm), "KEYCLOAK_URL");
}

void qdrant(written_table& into) {
  into.put_if_set("url", "QDRANT_URL");
  into.put_first("api_key", {"QDRANT_API_KEY", "QDRANT__SERVICE__API_KEY"});
}

bool is_yes(std::string_view value) {
  constexpr std::array<std::string_view, 4> ways{"1", "true", "yes", "on"};
  std::string lower(value);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(ways, lower) != ways.end();
}

/// MINIO_ENDPOINT is "host:port", as MinIO's own clients take it, or an address.
void minio(written_table& into) {
  const std::string endpoint = into.value_of("MINIO_ENDPOINT");
  const bool tls = is_yes(into.value_of("MINIO_SECURE")) || is_yes(into.value_of("MINIO_USE_SSL"));
  into.put("url", endpoint.contains("://") ? endpoint : (tls ? "https://" : "http://") + endpoint, "MINIO_ENDPOINT");
  if (!into.put_first_whole({{{"access_key", "MINIO_ACCESS_KEY"}, {"secret_key", "MINIO_SECRET_KEY"}},
                             {{"access_key", "MINIO_ROOT_USER"}, {"secret_key", "MINIO_ROOT_PASSWORD"}}})) {
    return;
  }
  into.put_if_set("region", "MINIO_REGION");
  into.put_if_set("buckets", "MINIO_BUCKET");
}

/// Amazon's clients know these by themselves, and applications have more names for a bucket. Without an address it is Amazon's own.
void s3(written_table& into) {
  std::string region = into.value_of("AWS_REGION");
  if (region.empty()) region = into.value_of("AWS_DEFAULT_REGION");
  for (const std::string_view bucket : {"S3_BUCKET", "AWS_STORAGE_BUCKET_NAME"}) {
    if (into.is_set(bucket)) into.put("url", fmt::format("https://s3.{}.amazonaws.com", region.empty() ? "us-east-1" : region), bucket);
  }
  into.put_first("url", {"S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  if (!into.put_first_whole({{{"access_key", "AWS_ACCESS_KEY_ID"}, {"secret_key", "AWS_SECRET_ACCESS_KEY"}},
                             {{"access_key", "S3_ACCESS_KEY"}, {"secret_key", "S3_SECRET_KEY"}}})) {
    return;
  }
  if (into.is_set("AWS_ACCESS_KEY_ID") && into.is_set("AWS_SECRET_ACCESS_KEY")) into.put_if_set("session_token", "AWS_SESSION_TOKEN");
  into.put_first("region", {"AWS_REGION", "AWS_DEFAULT_REGION", "S3_REGION"});
  into.put_first("buckets", {"S3_BUCKET", "AWS_STORAGE_BUCKET_NAME"});
}

/// NEO4J_AUTH is "user/password", as the server's own image takes it, or "none"; clients have two variables.
void neo4j(written_table& into) {
  into.put_if_set("url", "NEO4J_URI");
  if (into.put_first_whole(
          {{{"user", "NEO4J_USERNAME"}, {"password", "NEO4J_PASSWORD"}}, {{"user", "NEO4J_USER"}, {"password", "NEO4J_PASSWORD"}}})) {
    return;
  }
  const std::string auth = into.value_of("NEO4J_AUTH");
  const std::size_t slash = auth.find('/');
  if (slash == std::string::npos) return;
  into.put("user", auth.substr(0, slash), "NEO4J_AUTH");
  into.put("password", auth.substr(slash + 1), "NEO4J_AUTH");
}

void prometheus(written_table& into) {
  into.put_if_set("url", "PROMETHEUS_URL");
  into.put_first_whole({{{"token", "PROMETHEUS_TOKEN"}}, {{"user", "PROMETHEUS_USER"}, {"password", "PROMETHEUS_PASSWORD"}}});
}

void grafana(written_table& into) {
  into.put_if_set("url", "GRAFANA_URL");
  into.put_first_whole({{{"token", "GRAFANA_TOKEN"}}, {{"user", "GF_SECURITY_ADMIN_USER"}, {"password", "GF_SECURITY_ADMIN_PASSWORD"}}});
}

void airflow(written_table& into) {
  into.put_if_set("url", "AIRFLOW_URL");
  into.put_first_whole({{{"user", "AIRFLOW_USER"}, {"password", "AIRFLOW_PASSWORD"}},
                        {{"user", "_AIRFLOW_WWW_USER_USERNAME"}, {"password", "_AIRFLOW_WWW_USER_PASSWORD"}}});
}

/// A DSN is scheme://key@host[/path]/project. Sentry's own service takes events at oNNN.ingest[.REGION].sentry.io, and answers at
/// [REGION.]sentry.io; a server of one's own does both in one place.
void sentry(written_table& into) {
  const std::string dsn = into.value_of("SENTRY_DSN");
  const std::size_t scheme = dsn.find("://");
  const std::size_t at = dsn.find('@');
  const std::size_t project = dsn.rfind('/');
  if (scheme == std::string::npos || at == std::string::npos || project < at) {
    into.put("url", dsn, "SENTRY_DSN");  // what is wrong with it is said by the probe
    return;
  }
  std::string place = dsn.substr(at + 1, project - at - 1);
  if (const std::size_t ingest = place.find(".ingest."); ingest != std::string::npos && place.ends_with("sentry.io")) {
    place = place.substr(ingest + std::string_view(".ingest.").size());
  }
  into.put("url", dsn.substr(0, scheme + 3) + place, "SENTRY_DSN");
  into.put_if_set("url", "SENTRY_URL");
  if (!into.put_first_whole({{{"token", "SENTRY_AUTH_TOKEN"}, {"organization", "SENTRY_ORG"}}})) return;
  into.put("project", dsn.substr(project + 1), "SENTRY_DSN");
  into.put_if_set("environment", "SENTRY_ENVIRONMENT");
  into.put_if_set("release", "SENTRY_RELEASE");
}

constexpr std::array<runbook_row, 19> rows{{
    {"POSTGRES_HOST", "postgres", "postgres", postgres},
    {"DATABASE_URL", "postgres", "postgres", database_url},
    {"DB_DSN", "postgres", "postgres", db_dsn},
    {"REDIS_URL", "redis", "redis", redis},
    {"API_URL", "api", "http", api},
    {"API_URL", "api-detailed", "http", api_detailed},
    {"KEYCLOAK_URL", "keycloak", "jwks", keycloak},
    {"QDRANT_URL", "qdrant", "qdrant", qdrant},
    {"MINIO_ENDPOINT", "minio", "s3", minio},
    {"S3_ENDPOINT_URL", "s3", "s3", s3},
    {"AWS_ENDPOINT_URL_S3", "s3", "s3", s3},
    {"AWS_ENDPOINT_URL", "s3", "s3", s3},
    {"S3_BUCKET", "s3", "s3", s3},
    {"AWS_STORAGE_BUCKET_NAME", "s3", "s3", s3},
    {"NEO4J_URI", "neo4j", "neo4j", neo4j},
    {"PROMETHEUS_URL", "prometheus", "prometheus", prometheus},
    {"GRAFANA_URL", "grafana", "grafana", grafana},
    {"AIRFLOW_URL", "airflow", "airflow", airflow},
    {"SENTRY_DSN", "sentry", "sentry", sentry},
}};

}  // namespace

void written_table::put(const std::string& key, std::string value, std::string_view variable) {
  settings::node made{std::move(value), {std::string(variable), 0, 0}, members_.size()};
  made.written = fmt::format("${{{}}}", variable);
  members_.insert_or_assign(key, settings::member{made.at, {made}});
}

void written_table::put_first(const std::string& key, std::initializer_list<std::string_view> variables) {
  for (const std::string_view variable : variables) {
    if (std::string value = value_of(variable); !value.empty()) return put(key, std::move(value), variable);
  }
}

bool written_table::put_first_whole(std::initializer_list<std::vector<key>> groups) {
  const auto is_whole = [this](const std::vector<key>& group) {
    return std::ranges::all_of(group, [this](const key& k) { return is_set(k.second); });
  };
  const auto* const whole = std::ranges::find_if(groups, is_whole);
  if (whole == groups.end()) return false;
  for (const auto& [name, variable] : *whole) put_if_set(name, variable);
  return true;
}

std::string written_table::value_of(std::string_view variable) {
  if (const auto found = from_->set.find(variable); found != from_->set.end()) return found->second;
  const auto unread = from_->unread.find(variable);
  if (unread != from_->unread.end() && !unread->second.is_bare) unread_ = why_unread(variable, unread->second);
  return {};
}

std::span<const runbook_row> runbook_rows() {
  return rows;
}

}  // namespace flipback::config
