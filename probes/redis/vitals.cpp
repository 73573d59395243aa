#include "probes/redis/vitals.hpp"

#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::redis {

namespace {

void measure(const info& of, std::string_view field, std::string_view name, findings& into) {
  if (const auto value = of.number(field)) into.measure(name, *value);
}

/// Redis refuses writes and evicts by what it uses without the buffers of replicas and the append-only file (freeMemoryIfNeeded in its
/// evict.c); a replica leaves that to its master.
void judge_memory(const info& of, const expected& wanted, findings& into) {
  const auto used = of.number("used_memory");
  if (!used) return;
  into.measure("memory_used", *used);
  measure(of, "mem_fragmentation_ratio", "memory_fragmentation_ratio", into);
  const double own = of.number("maxmemory").value_or(0);  // 0: no limit
  std::string_view whose = wanted.memory_limit > 0 ? "no maxmemory: the configured limit" : "no maxmemory: the machine's memory";
  double most = wanted.memory_limit > 0 ? wanted.memory_limit : of.number("total_system_memory").value_or(0);
  if (own > 0) {
    most = own;
    whose = {};
  }
  if (most > 0) {
    into.measure("memory_max", most);
    into.measure("memory_used_ratio", *used / most);
    into.well(fmt::format("{} of {} used", format_size(*used), format_size(most)));
  }
  if (most > 0 && !whose.empty()) into.note(std::string(whose));
  const bool full = own > 0 && *used - of.number("mem_not_counted_for_evict").value_or(0) > own;
  if (full && of.text("maxmemory_policy") == "noeviction" && of.text("role") != "slave")
    into.unwell(reason::expectation, fmt::format("its memory is full ({} of {}) and its policy is noeviction: it refuses writes",
                                                 format_size(*used), format_size(own)));
}

void judge_clients(const info& of, findings& into) {
  const auto connected = of.number("connected_clients");
  if (connected) into.measure("connected_clients", *connected);
  if (const auto most = of.number("maxclients"); connected && most && *most > 0) into.measure("clients_used_ratio", *connected / *most);
  measure(of, "evicted_keys", "evicted_keys", into);
  measure(of, "rejected_connections", "rejected_connections", into);
}

void judge_persistence(const info& of, findings& into) {
  const auto saved = of.number("rdb_last_save_time");
  const auto now = of.number("server_time_usec");  // the server's own clock, as the time of the save
  if (saved && now) into.measure("last_save_age", std::max(0.0, *now / 1e6 - *saved));
  if (of.text("rdb_last_bgsave_status") == "err") into.unwell(reason::expectation, "its last snapshot (BGSAVE) failed");
  if (of.text("aof_enabled") != "1") return;
  if (of.text("aof_last_write_status") == "err")
    into.unwell(reason::expectation, "it can't write its append-only file, and refuses writes");
  if (of.text("aof_last_bgrewrite_status") == "err") into.unwell(reason::expectation, "the last rewrite of its append-only file failed");
}

void judge_replica(const info& of, findings& into) {
  const std::string master = fmt::format("{}:{}", flipback::quoted(of.text("master_host").value_or("?"), {}, 100),
                                         flipback::quoted(of.text("master_port").value_or("?"), {}, 10));
  into.well("a replica of " + master);
  if (of.text("master_link_status") == "up") return into.measure("master_link_down_seconds", 0.0);
  const double down = of.number("master_link_down_since_seconds").value_or(-1);  // -1: it was never up
  if (down >= 0) into.measure("master_link_down_seconds", down);
  if (of.text("master_sync_in_progress") == "1")
    return into.unwell(reason::starting, fmt::format("it is being synchronised from its master {}", master));
  const std::string since = down >= 0 ? fmt::format("for {:.0f} s", down) : "and never was up";
  into.unwell(reason::expectation, fmt::format("the link to its master {} is down {}", master, since));
}

/// What a replica has not acknowledged yet, of the one that is furthest behind.
void judge_master(const info& of, findings& into) {
  double online = 0;
  std::optional<double> lag;
  const auto written = of.number("master_repl_offset");
  const auto connected = std::min(of.number("connected_slaves").value_or(0), 100.0);
  for (int i = 0; i < connected; ++i) {
    const auto line = of.text(fmt::format("slave{}", i));
    if (!line || field_of(*line, "state") != "online") continue;
    ++online;
    const auto taken = number_of(field_of(*line, "offset").value_or(""));
    if (written && taken) lag = std::max(lag.value_or(0), *written - *taken);
  }
  into.measure("replicas", online);
  if (lag) into.measure("replica_lag_bytes", *lag);
  if (online > 0) into.well(fmt::format("{:.0f} replica{}", online, online == 1 ? "" : "s"));
}

void judge_role(const info& of, const expected& wanted, findings& into) {
  const auto role = of.text("role");
  if (!role) return;
  const bool replica = *role == "slave";
  if (!wanted.role.empty() && (wanted.role == "replica") != replica)
    into.unwell(reason::expectation, fmt::format("it is a {}, expected a {}", replica ? "replica" : "master", wanted.role));
  if (replica)
    judge_replica(of, into);
  else
    judge_master(of, into);
}

}  // namespace

void judge_cluster(const info& of, findings& into) {
  const auto state = of.text("cluster_state");
  if (!state) return;
  constexpr double all = 16384;  // hash slots that every key is in one of
  const double served = of.number("cluster_slots_ok").value_or(0);
  if (*state == "ok" && served == all) return into.well("its cluster is ok");
  const std::string slots = fmt::format("{:.0f} of {:.0f} slots are served", served, all);
  if (*state == "ok") return into.note(fmt::format("its cluster is ok, though {}", slots));
  into.unwell(reason::expectation, fmt::format("the state of its cluster is {}: {}", flipback::quoted(*state, {}, 20), slots));
}

void judge(const info& of, const expected& wanted, findings& into) {
  if (of.text("redis_mode") == "sentinel")
    return into.unwell(reason::expectation, "it is a Sentinel, which has no data: expected the address of the Redis that it watches");
  if (of.number("loading") == 1) {
    const std::string left = fmt::format("it is loading its data set: {:.0f}%, {:.0f} s left", of.number("loading_loaded_perc").value_or(0),
                                         of.number("loading_eta_seconds").value_or(0));
    into.unwell(reason::starting, left);
  }
  judge_memory(of, wanted, into);
  judge_clients(of, into);
  judge_persistence(of, into);
  judge_role(of, wanted, into);
  measure(of, "uptime_in_seconds", "uptime_seconds", into);
}

}  // namespace flipback::redis
