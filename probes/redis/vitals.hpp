#pragma once

#include "probes/findings.hpp"
#include "probes/redis/info.hpp"

#include <array>
#include <string>

namespace flipback::redis {

/// What the configuration says of a server beside how to reach it.
struct expected {
  double memory_limit = 0;  ///< bytes that the server may use where it has no maxmemory of its own; 0: the machine's memory
  std::string role;         ///< "master", "replica", or empty: either
};

/// What `judge` measures, as far as the server tells it.
inline constexpr std::array vitals{
    measurement_declaration{"memory_used", signal_kind::gauge, unit::bytes},
    measurement_declaration{"memory_max", signal_kind::gauge, unit::bytes},
    measurement_declaration{"memory_used_ratio", signal_kind::gauge, unit::ratio},
    measurement_declaration{"memory_fragmentation_ratio", signal_kind::gauge, unit::number},
    measurement_declaration{"evicted_keys", signal_kind::counter, unit::number},
    measurement_declaration{"rejected_connections", signal_kind::counter, unit::number},
    measurement_declaration{"connected_clients", signal_kind::gauge, unit::number},
    measurement_declaration{"clients_used_ratio", signal_kind::gauge, unit::ratio},
    measurement_declaration{"last_save_age", signal_kind::gauge, unit::seconds},
    measurement_declaration{"replicas", signal_kind::gauge, unit::number},
    measurement_declaration{"replica_lag_bytes", signal_kind::gauge, unit::bytes},
    measurement_declaration{"master_link_down_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"uptime_seconds", signal_kind::gauge, unit::seconds},
};

/// Holds what INFO says of memory, clients, persistence and replication against what a well server says.
void judge(const info& of, const expected& wanted, findings& into);

/// Whether a server is a node of a cluster, which knows more of how it is.
inline bool is_in_cluster(const info& of) {
  return of.text("redis_mode") == "cluster";
}
/// The same of what CLUSTER INFO says: a node answers PING by PONG though its cluster takes no commands.
void judge_cluster(const info& of, findings& into);

}  // namespace flipback::redis
