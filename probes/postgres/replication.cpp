#include "flipback/quoted.hpp"

#include "probes/postgres/questions.hpp"
#include "probes/postgres/trouble.hpp"

#include <fmt/format.h>

#include <array>

namespace flipback::postgres {

namespace {

// Works on 13 to 17. A replica that has applied all that it received is 0 s behind: since the last transaction there may have been none.
// latest_end_lsn (what the primary last said that it has) and primary_conninfo are for pg_monitor's eyes, and NULL for others. A slot's
// safe_wal_size is NULL where max_slot_wal_keep_size sets no limit.
constexpr const char* sql = R"(
WITH here AS MATERIALIZED (
  SELECT replica, CASE WHEN NOT replica THEN pg_current_wal_lsn()
    ELSE GREATEST(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), (SELECT latest_end_lsn FROM pg_stat_wal_receiver)) END AS wal,
    CASE WHEN replica THEN pg_last_wal_replay_lsn() END AS replayed,
    CASE WHEN replica THEN EXISTS (SELECT FROM pg_stat_wal_receiver) END AS receiving
  FROM (SELECT pg_is_in_recovery() AS replica) AS asked),
replicas AS MATERIALIZED (
  SELECT state IS NULL AS hidden, CASE WHEN replay_lsn >= wal THEN 0 ELSE pg_wal_lsn_diff(wal, replay_lsn) END AS bytes,
    CASE WHEN replay_lsn >= wal THEN 0 ELSE extract(epoch FROM replay_lag) END AS seconds
  FROM pg_stat_replication, here WHERE state IS NULL OR state IN ('catchup', 'streaming')),
slots AS MATERIALIZED (
  SELECT slot_name, active, wal_status, safe_wal_size, GREATEST(0, pg_wal_lsn_diff(wal, restart_lsn)) AS retained
  FROM pg_replication_slots, here)
SELECT replica AS is_replica, receiving,
  CASE WHEN replica THEN EXISTS (SELECT FROM pg_settings WHERE name = 'primary_conninfo' AND setting <> '') END AS has_primary,
  CASE WHEN replica THEN pg_is_wal_replay_paused() END AS paused,
  (SELECT count(*) FROM replicas) AS replicas,
  (SELECT count(*) FROM replicas WHERE hidden) AS replicas_hidden,
  CASE WHEN NOT replica THEN (SELECT max(bytes) FROM replicas)
    WHEN receiving AND wal <= replayed THEN 0 WHEN receiving THEN pg_wal_lsn_diff(wal, replayed) END AS replication_lag_bytes,
  CASE WHEN NOT replica THEN (SELECT max(seconds) FROM replicas)
    WHEN receiving AND wal <= replayed THEN 0
    WHEN receiving THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END AS replication_lag_seconds,
  (SELECT count(*) FROM slots) AS slots,
  (SELECT count(*) FROM slots WHERE NOT active) AS slots_inactive,
  (SELECT max(retained) FROM slots) AS slot_retained_bytes,
  (SELECT min(safe_wal_size) FROM slots) AS slot_safe_bytes,
  (SELECT string_agg(slot_name, ', ' ORDER BY slot_name) FROM slots WHERE wal_status = 'lost') AS lost,
  (SELECT string_agg(slot_name, ', ' ORDER BY slot_name) FROM slots WHERE wal_status = 'unreserved') AS unreserved,
  (SELECT string_agg(slot_name, ', ' ORDER BY slot_name) FROM slots WHERE NOT active AND wal_status <> 'lost') AS inactive,
  (SELECT max(retained) FROM slots WHERE NOT active) AS inactive_retained
FROM here)";

// Named as the columns are.
constexpr std::array measured{
    measurement_declaration{"is_replica", signal_kind::gauge, unit::number},
    measurement_declaration{"replicas", signal_kind::gauge, unit::number},
    measurement_declaration{"replication_lag_bytes", signal_kind::gauge, unit::bytes},
    measurement_declaration{"replication_lag_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"slots", signal_kind::gauge, unit::number},
    measurement_declaration{"slots_inactive", signal_kind::gauge, unit::number},
    measurement_declaration{"slot_retained_bytes", signal_kind::gauge, unit::bytes},
    measurement_declaration{"slot_safe_bytes", signal_kind::gauge, unit::bytes},
};

std::string behind(const rows& found) {
  const auto bytes = found.number("replication_lag_bytes");
  const auto seconds = found.number("replication_lag_seconds");
  std::string says = bytes ? format_size(*bytes) : "an unknown part";
  if (seconds && *seconds > 0) says += fmt::format(" and {:.1f} s", *seconds);
  return says + " behind";
}

void say_replica(const rows& found, findings& into) {
  if (found.number("receiving") == 1.0)
    into.well(fmt::format("a replica, {}", behind(found)));
  else if (found.number("has_primary") == 1.0)
    into.unwell(reason::expectation, "a replica that receives nothing from its primary");
  else
    into.well("a replica that receives nothing over a connection");
  if (found.number("paused") == 1.0) into.note("its replay is paused");
}

void say_replicas(const rows& found, findings& into) {
  const double replicas = found.number("replicas").value_or(0);
  const double hidden = found.number("replicas_hidden").value_or(0);
  if (hidden > 0)
    into.note(fmt::format("not in pg_monitor: how far {} replicas are behind is not seen", hidden));
  else if (replicas > 0)
    into.well(fmt::format("{} {}", replicas, replicas == 1 ? "replica, " + behind(found) : "replicas, the last of them " + behind(found)));
}

void say_slots(const rows& found, findings& into) {
  if (const auto lost = found.text("lost"))
    into.unwell(reason::expectation,
                fmt::format("what the slot {} was to keep is lost: its replica must be made anew", flipback::quoted(*lost)));
  if (const auto close = found.text("unreserved")) into.note(fmt::format("the slot {} is about to be lost", flipback::quoted(*close)));
  if (const auto left = found.text("inactive"))
    into.note(fmt::format("nobody reads the slot {}: {} kept for it", flipback::quoted(*left),
                          format_size(found.number("inactive_retained").value_or(0))));
}

void hear(const answer& heard, findings& into) {
  if (!heard) return left_out_or_unwell("replication", heard.error(), into);
  measure(measured, *heard, into);
  if (heard->number("is_replica") == 1.0) say_replica(*heard, into);
  say_replicas(*heard, into);
  say_slots(*heard, into);
}

}  // namespace

question ask_replication(declarations& into) {
  for (const measurement_declaration& d : measured) into.add(d);
  return {{sql}, hear};
}

}  // namespace flipback::postgres
