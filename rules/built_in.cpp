#include "rules/built_in.hpp"

#include "rules/built_in_for_each.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace flipback::rules {

namespace {

using std::chrono::minutes;

struct row {
  std::string_view name;
  std::string_view needs;  ///< the signal without which it is off
  std::string_view when;
  std::string_view until;  ///< 80% of the threshold, so that a value at the limit does not come and go
  duration lasting;
  duration after;
  consequence then;
  flipback::severity severity;
  std::uint64_t min_samples;
  std::uint64_t min_errors;
  std::string_view also_needs{};
  bool sets_hold = false;
};

constexpr std::array<row, 14> rows{{
    {"error-rate",
     "traffic.error_rate",
     "traffic.error_rate over 5m > 5% and traffic.error_rate over 1m > 5%",
     "traffic.error_rate over 5m < 4% or traffic.error_rate over 1m < 4%",
     {},
     minutes(5),
     consequence::rollback,
     severity::critical,
     50,
     15},
    {"latency",
     "traffic.p95",
     "traffic.p95 over 5m > 1000ms and traffic.p95 over 1m > 1000ms",
     "traffic.p95 over 5m < 800ms or traffic.p95 over 1m < 800ms",
     {},
     minutes(5),
     consequence::rollback,
     severity::critical,
     50,
     0},
    {"outage",
     "traffic.error_rate",
     "traffic.error_rate over 30s > 50% and stable.up == 1",
     "traffic.error_rate over 30s < 40%",
     {},
     {},
     consequence::rollback,
     severity::critical,
     20,
     0},
    {"error-rate-warning",
     "traffic.error_rate",
     "traffic.error_rate over 5m > 1%",
     "traffic.error_rate over 5m < 0.8%",
     minutes(5),
     {},
     consequence::alert,
     severity::warning,
     50,
     0},
    {"latency-warning",
     "traffic.p95",
     "traffic.p95 over 5m > 500ms",
     "traffic.p95 over 5m < 400ms",
     minutes(5),
     {},
     consequence::alert,
     severity::warning,
     50,
     0},
    {"aborted",
     "traffic.aborted_rate",
     "traffic.aborted_rate over 1m > 10%",
     "traffic.aborted_rate over 1m < 8%",
     minutes(1),
     {},
     consequence::alert,
     severity::warning,
     20,
     0},
    {"client-errors",
     "traffic.client_error_rate",
     "traffic.client_error_rate > 3 * before(traffic.client_error_rate over 5m) and traffic.client_error_rate > 5%",
     "",
     minutes(5),
     {},
     consequence::alert,
     severity::warning,
     20,
     0},
    {"traffic-drop",
     "traffic.error_rate",
     "count(traffic.error_rate over 5m) < before(count(traffic.error_rate over 5m)) / 2 and "
     "before(count(traffic.error_rate over 5m)) >= 50 and traffic.up == 1",
     "",
     minutes(5),
     {},
     consequence::alert,
     severity::warning,
     0,
     0,
     "traffic.up"},
    {"postgres-connections",
     "postgres.connections_used_ratio",
     "postgres.connections_used_ratio > 80%",
     "postgres.connections_used_ratio < 64%",
     minutes(5),
     {},
     consequence::alert,
     severity::warning,
     0,
     0},
    {"redis-memory",
     "redis.memory_used_ratio",
     "redis.memory_used_ratio > 75%",
     "redis.memory_used_ratio < 60%",
     minutes(5),
     {},
     consequence::alert,
     severity::warning,
     0,
     0},
    {"vector-search",
     "qdrant.search_seconds",
     "qdrant.search_seconds > 100ms",
     "qdrant.search_seconds < 80ms",
     minutes(5),
     {},
     consequence::alert,
     severity::warning,
     0,
     0},
    {"prometheus-target",
     "prometheus.targets_down",
     "prometheus.targets_down > 0",
     "",
     minutes(1),
     {},
     consequence::alert,
     severity::warning,
     0,
     0},
    {"prometheus-alert",
     "prometheus.alerts_firing",
     "prometheus.alerts_firing > 0",
     "",
     minutes(1),
     {},
     consequence::alert,
     severity::warning,
     0,
     0},
    {"corruption",
     "postgres.checksum_failures",
     "increase(postgres.checksum_failures over 5m) > 0",
     "",
     {},
     {},
     consequence::alert,
     severity::critical,
     0,
     0,
     {},
     true},
}};

rule_source written(const row& r) {
  rule_source made;
  made.name = r.name;
  made.at = {"built-in rules", 0, 0};
  made.when = {std::string(r.when), made.at};
  made.until = {std::string(r.until), made.at};
  made.lasting = r.lasting;
  made.after = r.after;
  made.then = r.then;
  made.severity = r.severity;
  made.min_samples = r.min_samples;
  made.min_errors = r.min_errors;
  made.sets_hold = r.sets_hold;
  return made;
}

}  // namespace

rule_set with_built_ins(std::span<const rule_source> own, const catalogue& signals, bool has_deployment) {
  rule_set made;
  const auto replaced = [&](std::string_view name) { return std::ranges::find(own, name, &rule_source::name) != own.end(); };
  for (const row& r : rows) {
    if (replaced(r.name)) continue;
    const bool lacks_one = signals.find(r.needs) == nullptr;
    if (lacks_one || (!r.also_needs.empty() && signals.find(r.also_needs) == nullptr)) {
      made.off.push_back({std::string(r.name), fmt::format("no probe gives {}", lacks_one ? r.needs : r.also_needs)});
    } else if (r.then == consequence::rollback && !has_deployment) {
      made.off.push_back({std::string(r.name), "there is no [deployment] to roll back"});
    } else if (r.when.contains("before(") && !has_deployment) {
      made.off.push_back({std::string(r.name), "there is no [deployment] whose cutover it could look back to"});
    } else {
      made.on.push_back(written(r));
    }
  }
  add_one_for_each(signals, has_deployment, replaced, made);
  for (const rule_source& r : own) {
    if (r.enabled)
      made.on.push_back(r);
    else
      made.off.push_back({r.name, "it is switched off"});
  }
  return made;
}

}  // namespace flipback::rules
