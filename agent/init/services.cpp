#include "flipback/as_typed.hpp"
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

/// A service that has no probe, and what its file says of its port.
struct unreached {
  std::string service;
  const service_kind* kind;
  std::string why;
};

/// `published`: null where the service's table publishes no such port, else one that can't be told.
std::string why_unreached(const compose_service& service, const service_kind& kind, const published_port* published) {
  if (published == nullptr)
    return fmt::format("publishes no port {} there: a probe can reach it from a container of its network", kind.port);
  const std::string which =
      published->target == 0 ? fmt::format("has a port that may be its {}", kind.port) : fmt::format("publishes its port {}", kind.port);
  const std::array<std::string, 5> typed{"docker", "compose", "port", flipback::quoted(service.name), fmt::format("{}", kind.port)};
  return fmt::format("{} {}: `{}` says where, once it runs; write its probe with that", which, published->why_untold, as_typed(typed));
}

std::uint16_t port_at(const published_port& published, std::uint16_t target) {
  return static_cast<std::uint16_t>(published.port + (target - published.target));
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
  std::vector<unreached> left;
  for (const compose_service& service : services) {
    const service_kind* const kind = kind_of(service.image);
    if (kind == nullptr) continue;
    const published_port* const published = service.publishing(kind->port);
    const bool by_port = published != nullptr && published->port != 0;
    if (!by_port && !service.is_on_hosts_network) {
      left.push_back({service.name, kind, why_unreached(service, *kind, published)});
      continue;
    }
    probe_table table =
        by_port ? table_of(*kind, published->address, port_at(*published, kind->port)) : table_of(*kind, "127.0.0.1", kind->port);
    table.host = service.name;
    if (std::ranges::find(made, table.name, &probe_table::name) != made.end()) table.name = name_beside(table);
    table.says = fmt::format("{}: the service {} in {} (image {}), by its port {}.", kind->called, flipback::quoted(service.name), file,
                             flipback::quoted(name_of_image(service.image)), kind->port);
    made.push_back(std::move(table));
  }
  for (const auto& [service, kind, why] : left) {
    const bool is_a_workers = kind->name == "airflow" || kind->name == "sentry";  // their workers have the same image
    if (is_a_workers && std::ranges::find(made, kind->name, &probe_table::name) != made.end()) continue;
    notes.push_back(fmt::format("{} is the service {} in {}, which {}", kind->called, flipback::quoted(service), file, why));
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
