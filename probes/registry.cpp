#include "probes/registry.hpp"

#include "probes/kinds.hpp"

#include <algorithm>
#include <array>

namespace flipback {

namespace {

using std::chrono::seconds;

constexpr std::array kinds{
    probe_kind{"access_log", "nginx's access log: the traffic, its errors and its latency", make_access_log_probe, seconds(1)},
    probe_kind{"airflow", "an Airflow server, 2.x or 3.x: its parts and their heartbeats, DAGs, import errors", make_airflow_probe},
    probe_kind{"disk", "file systems of this host: the space and the inodes that are free", make_disk_probe},
    probe_kind{"exposition", "the metrics that an API exposes: the traffic, its errors and its latency, and whatever else",
               make_exposition_probe},
    probe_kind{"file", "the newest file of a name or a pattern: a backup's age and size", make_file_probe},
    probe_kind{"grafana", "a Grafana server: its database, the health of each datasource", make_grafana_probe},
    probe_kind{"http", "an HTTP or HTTPS address: status, headers, body, JSON, version, phases, certificate", make_http_probe},
    probe_kind{"journey", "what a user does, step by step: log in, use the token, expect", make_journey_probe},
    probe_kind{"jwks", "an issuer's JSON Web Key Set: every key parsed, rotation noticed, a token verified", make_jwks_probe},
    probe_kind{"neo4j", "a Neo4j server: a real query, over HTTP and over Bolt", make_neo4j_probe},
    probe_kind{"postgres", "a PostgreSQL server: connections, long queries, replication, row security, migrations, SQL of one's own",
               make_postgres_probe},
    probe_kind{"prometheus", "a Prometheus server: ready, targets, alerts, rules, configuration", make_prometheus_probe},
    probe_kind{"promql", "what PromQL gives: any query's number as a measurement", make_promql_probe},
    probe_kind{"qdrant", "a Qdrant server: its collections, and a real search in each", make_qdrant_probe},
    probe_kind{"rate_limit", "a rate limit: that it answers 429 after so many requests", make_rate_limit_probe, std::chrono::minutes(10),
               true},
    probe_kind{"redis", "a Redis server: PING, memory, clients, persistence, replication, keys", make_redis_probe},
    probe_kind{"s3", "an S3 (MinIO): its quorum, its buckets, the newest backup, a write and a read", make_s3_probe},
    probe_kind{"sentry", "a Sentry project: events and new issues of the last minutes", make_sentry_probe},
    probe_kind{"tcp", "a TCP or Unix socket: that it accepts, and what it says first", make_tcp_probe},
};

}  // namespace

std::span<const probe_kind> probe_kinds() {
  return kinds;
}

const probe_kind* find_probe_kind(std::string_view type) {
  const auto* const at = std::ranges::find(kinds, type, &probe_kind::type);
  return at == kinds.end() ? nullptr : at;
}

}  // namespace flipback
