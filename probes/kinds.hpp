#pragma once

#include "flipback/probe.hpp"
#include "flipback/settings.hpp"

/// The makers of every kind of probe, one a file; registry.cpp lists them.
namespace flipback {

std::unique_ptr<probe> make_access_log_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_airflow_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_disk_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_exposition_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_file_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_grafana_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_http_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_journey_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_jwks_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_neo4j_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_postgres_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_prometheus_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_promql_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_qdrant_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_rate_limit_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_redis_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_s3_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_sentry_probe(settings::section& from, const surroundings& in);
std::unique_ptr<probe> make_tcp_probe(settings::section& from, const surroundings& in);

}  // namespace flipback
