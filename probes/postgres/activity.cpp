#include "probes/postgres/fingerprint.hpp"
#include "probes/postgres/questions.hpp"
#include "probes/postgres/trouble.hpp"

#include <fmt/format.h>

#include <array>

namespace flipback::postgres {

namespace {

// Works on 13 to 17: `reserved_connections` came with 16, and current_setting(…, true) gives NULL for a name that is not known. What
// superusers have in reserve is nobody else's to use. checksum_failures is NULL where checksums are off. Whoever is not in pg_monitor does
// not see others' backend_type, but sees that they have a user and a database, as only clients and their parallel workers have.
constexpr const char* sql = R"(
WITH clients AS MATERIALIZED (
  SELECT backend_type IS NULL AS hidden, pid <> pg_backend_pid() AS others, state, query_start, xact_start, query FROM pg_stat_activity
  WHERE backend_type = 'client backend' OR (backend_type IS NULL AND usesysid IS NOT NULL AND datid IS NOT NULL)),
longest_query AS (
  SELECT extract(epoch FROM clock_timestamp() - query_start) AS seconds, query FROM clients
  WHERE others AND state = 'active' AND query_start IS NOT NULL ORDER BY query_start LIMIT 1),
longest_transaction AS (
  SELECT extract(epoch FROM clock_timestamp() - xact_start) AS seconds, query FROM clients
  WHERE others AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1)
SELECT (SELECT count(*) FROM clients) AS connections,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - COALESCE(current_setting('reserved_connections', true)::int, 0) AS connections_max,
  (SELECT count(*) FROM clients WHERE hidden) AS hidden,
  (SELECT count(*) FROM clients WHERE others AND state = 'active') AS active,
  (SELECT count(*) FROM clients WHERE state LIKE 'idle in transaction%') AS idle_in_transaction,
  COALESCE((SELECT seconds FROM longest_query), 0) AS longest_query_seconds, (SELECT query FROM longest_query) AS longest_query,
  COALESCE((SELECT seconds FROM longest_transaction), 0) AS longest_transaction_seconds,
  (SELECT query FROM longest_transaction) AS longest_transaction,
  (SELECT sum(deadlocks) FROM pg_stat_database) AS deadlocks,
  (SELECT sum(checksum_failures) FROM pg_stat_database) AS checksum_failures)";

// Named as the columns are.
constexpr std::array anybody_sees{
    measurement_declaration{"connections", signal_kind::gauge, unit::number},
    measurement_declaration{"connections_max", signal_kind::gauge, unit::number},
    measurement_declaration{"deadlocks", signal_kind::counter, unit::number},
    measurement_declaration{"checksum_failures", signal_kind::counter, unit::number},
};
constexpr std::array others_work{
    measurement_declaration{"active", signal_kind::gauge, unit::number},
    measurement_declaration{"idle_in_transaction", signal_kind::gauge, unit::number},
    measurement_declaration{"longest_query_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"longest_transaction_seconds", signal_kind::gauge, unit::seconds},
};

/// What takes a second or more, and what it is.
void say_longest(const rows& found, const std::string& what, const std::string& column, findings& into) {
  const double seconds = found.number(column + "_seconds").value_or(0);
  if (seconds < 1) return;
  const duration rounded = std::chrono::round<std::chrono::duration<std::int64_t, std::deci>>(from_seconds(seconds));
  into.well(fmt::format("{} {}: {}", what, format_duration(rounded), fingerprint(found.text(column).value_or(""))));
}

void hear(const answer& heard, findings& into) {
  if (!heard) return left_out_or_unwell("connections and what they do", heard.error(), into);
  const auto used = heard->number("connections");
  const auto most = heard->number("connections_max");
  if (!used || !most) return into.unwell(reason::bad_answer, "the answer has not the columns that were asked for");
  measure(anybody_sees, *heard, into);
  if (*most > 0) into.measure("connections_used_ratio", *used / *most);
  into.well(fmt::format("{} of {} connections", *used, *most));
  if (const double failures = heard->number("checksum_failures").value_or(0); failures > 0)
    into.note(fmt::format("{} checksum failures since the statistics began", failures));
  if (const double hidden = heard->number("hidden").value_or(0); hidden > 0)
    return into.note(fmt::format("not in pg_monitor: the queries of {} others are not seen", hidden));
  measure(others_work, *heard, into);
  into.well(fmt::format("{} active", heard->number("active").value_or(0)));
  if (const double idle = heard->number("idle_in_transaction").value_or(0); idle > 0)
    into.well(fmt::format("{} idle in transaction", idle));
  say_longest(*heard, "longest query", "longest_query", into);
  say_longest(*heard, "longest transaction", "longest_transaction", into);
}

}  // namespace

question ask_activity(declarations& into) {
  for (const measurement_declaration& d : anybody_sees) into.add(d);
  for (const measurement_declaration& d : others_work) into.add(d);
  into.add({"connections_used_ratio", signal_kind::gauge, unit::ratio});
  return {{sql}, hear};
}

}  // namespace flipback::postgres
