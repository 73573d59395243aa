#pragma once

#include "flipback/units.hpp"

#include "probes/net/json.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What Airflow says of its parts: at `/health` until 2.x, at `/api/v2/monitor/health` from 3.0. The status of that answer is always 200.
namespace flipback::airflow {

inline constexpr std::array<std::string_view, 4> part_names{"metadatabase", "scheduler", "triggerer", "dag_processor"};

struct part {
  std::optional<std::string> status{};      ///< "healthy", "unhealthy"; nothing: it was never deployed
  std::optional<duration> heartbeat_age{};  ///< never negative
};

/// As in `part_names`.
using health = std::array<part, part_names.size()>;

/// Nothing where the answer is no Airflow's. `now` is the time on the clock of who answered, whose heartbeats they are.
std::optional<health> read_health(const net::json::value& answer, wall_time now);

struct demands {
  duration max_heartbeat_age = std::chrono::seconds(30);   ///< Airflow's own scheduler_health_check_threshold
  std::array<bool, part_names.size()> needed{true, true};  ///< unwell where it was never deployed
  std::array<bool, part_names.size()> looked_at{true, true, true, true};
};

/// Why each part is unwell; an empty text: it is well. Without its metadatabase Airflow knows nothing of the other parts, and so do we.
using complaints = std::array<std::string, part_names.size()>;
complaints complaints_of(const health& seen, const demands& demanded);
/// Those of a second look for the parts that were unwell at a first one too. A DAG processor's heartbeat is written about one period late,
/// which shows it unhealthy for 0.2 s of every 5 s.
complaints lasting(const complaints& first, complaints second);
bool any(const complaints& of);

}  // namespace flipback::airflow
