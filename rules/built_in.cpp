#include "rules/built_in.hpp"

#include "rules/built_in_budget.hpp"
#include "rules/built_in_for_each.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace flipback::rules {

namespace {

using std::chrono::minutes;

struct row {
  std::string_view name;
  std::string_view needs;  ///< the signal without which it is off
  std::string_view also_needs{};
  std::string_view when;
  std::string_view until{};  ///< 80% of the threshold, so that a value at the limit does not come and go
  duration lasting{};
  flipback::severity severity = severity::warning;
  std::uint64_t min_samples = 0;
  std::uint64_t min_errors = 0;
  bool sets_hold = false;
};

constexpr std::array rows{
    row{.name = "local-errors",
        .needs = "traffic.local_error_rate",
        .when = "traffic.local_error_rate over 1m > 5%",
        .until = "traffic.local_error_rate over 1m < 4%",
        .lasting = minutes(1),
        .min_samples = 20},
    row{.name = "path-errors",
        .needs = "traffic.error_rate_by_path",
        .when = "surely(traffic.error_rate_by_path over 5m > 50%)",
        .until = "not surely(traffic.error_rate_by_path over 5m > 40%)",
        .min_errors = 20},
    row{.name = "error-rate-warning",
        .needs = "traffic.error_rate",
        .when = "traffic.error_rate over 5m > 1%",
        .until = "traffic.error_rate over 5m < 0.8%",
        .lasting = minutes(5),
        .min_samples = 50},
    row{.name = "latency-warning",
        .needs = "traffic.p95",
        .when = "traffic.p95 over 5m > 500ms",
        .until = "traffic.p95 over 5m < 400ms",
        .lasting = minutes(5),
        .min_samples = 50},
    row{.name = "aborted",
        .needs = "traffic.aborted_rate",
        .when = "traffic.aborted_rate over 1m > 10%",
        .until = "traffic.aborted_rate over 1m < 8%",
        .lasting = minutes(1),
        .min_samples = 20},
    row{.name = "client-errors",
        .needs = "traffic.client_error_rate",
        .when = "traffic.client_error_rate > 3 * before(traffic.client_error_rate over 5m) and traffic.client_error_rate > 5%",
        .lasting = minutes(5),
        .min_samples = 20},
    row{.name = "traffic-drop",
        .needs = "traffic.error_rate",
        .also_needs = "traffic.up",
        .when = "count(traffic.error_rate over 5m) < before(count(traffic.error_rate over 5m)) / 2 and "
                "before(count(traffic.error_rate over 5m)) >= 50 and traffic.up == 1",
        .lasting = minutes(5)},
    row{.name = "postgres-connections",
        .needs = "postgres.connections_used_ratio",
        .when = "postgres.connections_used_ratio > 80%",
        .until = "postgres.connections_used_ratio < 64%",
        .lasting = minutes(5)},
    row{.name = "redis-memory",
        .needs = "redis.memory_used_ratio",
        .when = "redis.memory_used_ratio > 75%",
        .until = "redis.memory_used_ratio < 60%",
        .lasting = minutes(5)},
    row{.name = "vector-search",
        .needs = "qdrant.search_seconds",
        .when = "qdrant.search_seconds > 100ms",
        .until = "qdrant.search_seconds < 80ms",
        .lasting = minutes(5)},
    row{.name = "prometheus-target", .needs = "prometheus.targets_down", .when = "prometheus.targets_down > 0", .lasting = minutes(1)},
    row{.name = "prometheus-alert", .needs = "prometheus.alerts_firing", .when = "prometheus.alerts_firing > 0", .lasting = minutes(1)},
    row{.name = "corruption",
        .needs = "postgres.checksum_failures",
        .when = "increase(postgres.checksum_failures over 5m) > 0",
        .severity = severity::critical,
        .sets_hold = true},
};

rule_source written(const row& r) {
  rule_source made;
  made.name = r.name;
  made.at = {"built-in rules", 0, 0};
  made.when = {std::string(r.when), made.at};
  made.until = {std::string(r.until), made.at};
  made.lasting = r.lasting;
  made.severity = r.severity;
  made.min_samples = r.min_samples;
  made.min_errors = r.min_errors;
  made.sets_hold = r.sets_hold;
  return made;
}

}  // namespace

std::vector<std::string> built_in_names() {
  std::vector<std::string> names = budget_names();
  for (const row& r : rows) names.emplace_back(r.name);
  std::ranges::copy(names_for_each(), std::back_inserter(names));
  return names;
}

rule_set with_built_ins(std::span<const rule_source> own, const catalogue& signals, bool has_deployment) {
  rule_set made;
  const auto replaced = [&](std::string_view name) { return std::ranges::find(own, name, &rule_source::name) != own.end(); };
  add_budget(signals, has_deployment, replaced, made);
  for (const row& r : rows) {
    if (replaced(r.name)) continue;
    const bool lacks_one = signals.find(r.needs) == nullptr;
    if (lacks_one || (!r.also_needs.empty() && signals.find(r.also_needs) == nullptr)) {
      made.off.push_back({std::string(r.name), fmt::format("no probe gives {}", lacks_one ? r.needs : r.also_needs)});
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
