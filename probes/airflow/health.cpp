#include "probes/airflow/health.hpp"

#include "flipback/quoted.hpp"
#include "flipback/timestamp.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::airflow {

std::optional<health> read_health(const net::json::value& answer, wall_time now) {
  health read;
  for (std::size_t i = 0; i < read.size(); ++i) {
    read[i].status = net::text_at(answer, fmt::format("/{}/status", part_names[i]));
    const auto heartbeat = net::text_at(answer, fmt::format("/{0}/latest_{0}_heartbeat", part_names[i]));
    if (const auto at = parse_timestamp(heartbeat.value_or(""))) read[i].heartbeat_age = std::max(duration(now - *at), duration());
  }
  if (!read[0].status || !read[1].status) return std::nullopt;  // every version has these two
  return read;
}

complaints complaints_of(const health& seen, const demands& demanded) {
  complaints made;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!demanded.looked_at[i]) continue;
    const part& p = seen[i];
    const std::string age = p.heartbeat_age ? format_duration(std::chrono::round<std::chrono::seconds>(*p.heartbeat_age)) : "";
    if (!p.status) {
      if (demanded.needed[i]) made[i] = fmt::format("the {} was never started", part_names[i]);
    } else if (*p.status != "healthy") {
      made[i] = fmt::format("the {} is {}", part_names[i], flipback::quoted(*p.status, {}, 40));
      if (p.heartbeat_age) made[i] += fmt::format(", its last heartbeat {} ago", age);
    } else if (p.heartbeat_age && *p.heartbeat_age > demanded.max_heartbeat_age) {
      made[i] = fmt::format("the {}'s last heartbeat was {} ago, though it is called healthy; at most {} are right", part_names[i], age,
                            format_duration(demanded.max_heartbeat_age));
    }
    if (i == 0 && !made[i].empty()) break;
  }
  return made;
}

complaints lasting(const complaints& first, complaints second) {
  for (std::size_t i = 0; i < second.size(); ++i) {
    if (first[i].empty()) second[i].clear();
  }
  return second;
}

bool any(const complaints& of) {
  return std::ranges::any_of(of, [](const std::string& one) { return !one.empty(); });
}

}  // namespace flipback::airflow
