#include "flipback/quoted.hpp"

#include "agent/init/probe_tables.hpp"
#include "agent/init/toml_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>
#include <utility>

namespace flipback::init {

namespace {

/// A service that has a probe: the names that its images have, without registry, owner and tag, and the port that it has in its container.
struct service_kind {
  std::array<std::string_view, 4> images;
  std::string_view name;  ///< of the probe
  std::string_view type;
  std::string_view called;
  std::uint16_t port;
  std::string_view path;  ///< after http://HOST:PORT; of those that have no URL ""
};

constexpr std::array<service_kind, 10> kinds{{
    {{"postgres", "postgis", "postgresql", "timescaledb"}, "postgres", "postgres", "Postgres", 5432, ""},
    {{"redis", "redis-stack", "redis-stack-server", "valkey"}, "redis", "redis", "Redis", 6379, ""},
    {{"keycloak"}, "keycloak", "jwks", "Keycloak", 8080, "/realms/master/protocol/openid-connect/certs"},
    {{"qdrant"}, "qdrant", "qdrant", "Qdrant", 6333, ""},
    {{"minio"}, "minio", "s3", "MinIO", 9000, ""},
    {{"neo4j"}, "neo4j", "neo4j", "Neo4j", 7474, ""},
    {{"prometheus"}, "prometheus", "prometheus", "Prometheus", 9090, ""},
    {{"grafana", "grafana-oss", "grafana-enterprise"}, "grafana", "grafana", "Grafana", 3000, ""},
    {{"airflow", "docker-airflow"}, "airflow", "airflow", "Airflow", 8080, ""},
    {{"sentry"}, "sentry", "sentry", "Sentry", 9000, ""},
}};

const service_kind* kind_of(std::string_view image) {
  const std::string_view name = name_of_image(image);
  const auto* const at = std::ranges::find_if(
      kinds, [&](const service_kind& k) { return !name.empty() && std::ranges::find(k.images, name) != k.images.end(); });
  return at == kinds.end() ? nullptr : at;
}

probe_table table_of(const service_kind& kind, const std::string& address, std::uint16_t port) {
  probe_table made{.name = std::string(kind.name), .type = std::string(kind.type)};
  const std::string host = address.contains(':') ? fmt::format("[{}]", address) : address;
  if (kind.type == "postgres")
    made.address = {{"host", in_toml(address)}, {"port", fmt::format("{}", port)}};
  else
    made.address = {{"url", in_toml(fmt::format("{}://{}:{}{}", kind.type == "redis" ? "redis" : "http", host, port, kind.path))}};
  return made;
}

}  // namespace

std::string_view name_of_image(std::string_view image) {
  image = image.substr(0, image.find('@'));
  if (const std::size_t slash = image.rfind('/'); slash != std::string_view::npos) image.remove_prefix(slash + 1);
  return image.substr(0, image.find(':'));
}

std::string name_beside(const probe_table& of) {
  std::string made = of.name + "-" + of.host;
  std::ranges::replace_if(made, [](unsigned char c) { return c > 127 || (std::isalnum(c) == 0 && c != '_' && c != '-'); }, '-');
  return made;
}

std::vector<probe_table> probes_of_services(const std::string& file, const std::vector<compose_service>& services,
                                            std::vector<std::string>& notes) {
  std::vector<probe_table> made;
  std::vector<std::pair<std::string, const service_kind*>> unpublished;
  for (const compose_service& service : services) {
    const service_kind* const kind = kind_of(service.image);
    if (kind == nullptr) continue;
    const auto published = std::ranges::find(service.ports, kind->port, &published_port::target);
    if (published == service.ports.end() && !service.is_on_hosts_network) {
      unpublished.emplace_back(service.name, kind);
      continue;
    }
    const bool by_port = published != service.ports.end();
    probe_table table = table_of(*kind, by_port ? published->address : "127.0.0.1", by_port ? published->port : kind->port);
    table.host = service.name;
    if (std::ranges::find(made, table.name, &probe_table::name) != made.end()) table.name = name_beside(table);
    table.says = fmt::format("{}: the service {} in {} (image {}), by its port {}.", kind->called, flipback::quoted(service.name), file,
                             flipback::quoted(name_of_image(service.image)), kind->port);
    made.push_back(std::move(table));
  }
  for (const auto& [service, kind] : unpublished) {
    if (std::ranges::find(made, kind->name, &probe_table::name) != made.end()) continue;  // Airflow's workers have its image, too
    notes.push_back(
        fmt::format("{} is the service {} in {}, which publishes no port {}: a probe can reach it from a container of its network",
                    kind->called, flipback::quoted(service), file, kind->port));
  }
  return made;
}

std::vector<probe_table> probes_of_ports(const std::set<std::uint16_t>& listening, const std::vector<probe_table>& but_not) {
  std::vector<probe_table> made;
  for (const service_kind& kind : kinds) {
    const bool is_known = std::ranges::find(but_not, kind.name, &probe_table::name) != but_not.end();
    if (is_known || !listening.contains(kind.port)) continue;
    if (kind.name == "sentry" || kind.name == "airflow") continue;  // their ports are others', too
    probe_table table = table_of(kind, "127.0.0.1", kind.port);
    table.says = fmt::format("Something listens on port {} of this host: perhaps {}.", kind.port, kind.called);
    table.why_off = fmt::format("a port is no proof. If it is {}, take the # away", kind.called);
    made.push_back(std::move(table));
  }
  return made;
}

passage passage_of(const probe_table& table) {
  std::string toml = fmt::format("[probes.{}]\ntype = {}\n", table.name, in_toml(table.type));
  for (const auto* keys : {&table.address, &table.credentials}) {
    for (const auto& [key, value] : *keys) toml += fmt::format("{} = {}\n", key, value);
  }
  return {table.says, std::move(toml), table.why_off};
}

}  // namespace flipback::init
