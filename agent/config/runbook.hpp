#pragma once

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// With no configuration file: probes with defaults for the services that the runbook's variables name (POSTGRES_HOST, REDIS_URL,
/// KEYCLOAK_URL, API_URL, …). None of them set is a problem.
void add_runbook_probes(const variables& from, configuration& into, settings::diagnostics& problems);

}  // namespace flipback::config
