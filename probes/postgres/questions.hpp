#pragma once

#include "probes/declarations.hpp"
#include "probes/postgres/connection.hpp"

#include <functional>

namespace flipback::postgres {

/// One thing that a run asks: what is sent, and what its answer means.
struct question {
  statement asks;
  std::function<void(const answer&, findings&)> hear;
};

/// Connections, what they do and for how long, deadlocks, checksum failures. Any role; without pg_monitor others' work is not seen.
question ask_activity(declarations& into);
/// Whether it is a replica, how far it or its replicas are behind, what its slots hold back. Any role; without pg_monitor replicas'
/// positions are not seen.
question ask_replication(declarations& into);

/// `row_security`: that a role sees of a schema's tables only what their policies let it see. Any role.
void add_row_security(settings::section& from, declarations& into, std::vector<question>& all);
/// `migrations`: that Alembic has brought the database where it should be. Needs SELECT on its table.
void add_migrations(settings::section& from, const std::string& user, declarations& into, std::vector<question>& all);
/// `postgis`: that PostGIS' library and its SQL functions are of one version. Any role.
void add_postgis(settings::section& from, std::vector<question>& all);

/// `query` and `expect`, and `queries`: SQL of the person's own. In the order of the file.
std::vector<question> read_own_queries(settings::section& from, declarations& into);

}  // namespace flipback::postgres
