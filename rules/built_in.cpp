#include "rules/built_in.hpp"

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
  duration hold;
  duration after;
  consequence then;
  std::string_view severity;
  std::uint64_t min_samples;
  std::uint64_t min_errors;
};

constexpr std::array<row, 12> rows{{
    {"error-rate",
     "traffic.error_rate",
     "traffic.error_rate over 5m > 5% and traffic.error_rate over 1m > 5%",
     "traffic.error_rate over 5m < 4% or traffic.error_rate over 1m < 4%",
     {},
     minutes(5),
     consequence::rollback,
     "critical",
     50,
     15},
    {"latency",
     "traffic.p95",
     "traffic.p95 over 5m > 1000ms and traffic.p95 over 1m > 1000ms",
     "traffic.p95 over 5m < 800ms or traffic.p95 over 1m < 800ms",
     {},
     minutes(5),
     consequence::rollback,
     "critical",
     50,
     0},
    {"outage",
     "traffic.error_rate",
     "traffic.error_rate over 30s > 50% and stable.up == 1",
     "traffic.error_rate over 30s < 40%",
     {},
     {},
     consequence::rollback,
     "critical",
     20,
     0},
    {"error-rate-warning",
     "traffic.error_rate",
     "traffic.error_rate over 5m > 1%",
     "traffic.error_rate over 5m < 0.8%",
     minutes(5),
     {},
     consequence::alert,
     "warning",
     50,
     0},
    {"latency-warning",
     "traffic.p95",
     "traffic.p95 over 5m > 500ms",
     "traffic.p95 over 5m < 400ms",
     minutes(5),
     {},
     consequence::alert,
     "warning",
     50,
     0},
    {"aborted",
     "traffic.aborted_rate",
     "traffic.aborted_rate over 1m > 10%",
     "traffic.aborted_rate over 1m < 8%",
     minutes(1),
     {},
     consequence::alert,
     "warning",
     20,
     0},
    {"postgres-connections",
     "postgres.connections_used_ratio",
     "postgres.connections_used_ratio > 80%",
     "postgres.connections_used_ratio < 64%",
     minutes(5),
     {},
     consequence::alert,
     "warning",
     0,
     0},
    {"redis-memory",
     "redis.memory_used_ratio",
     "redis.memory_used_ratio > 75%",
     "redis.memory_used_ratio < 60%",
     minutes(5),
     {},
     consequence::alert,
     "warning",
     0,
     0},
    {"vector-search",
     "qdrant.search_seconds",
     "qdrant.search_seconds > 100ms",
     "qdrant.search_seconds < 80ms",
     minutes(5),
     {},
     consequence::alert,
     "warning",
     0,
     0},
    {"prometheus-target",
     "prometheus.targets_down",
     "prometheus.targets_down > 0",
     "",
     minutes(1),
     {},
     consequence::alert,
     "warning",
     0,
     0},
    {"prometheus-alert",
     "prometheus.alerts_firing",
     "prometheus.alerts_firing > 0",
     "",
     minutes(1),
     {},
     consequence::alert,
     "warning",
     0,
     0},
    {"corruption",
     "postgres.checksum_failures",
     "increase(postgres.checksum_failures over 5m) > 0",
     "",
     {},
     {},
     consequence::alert,
     "critical",
     0,
     0},
}};

rule_source written(const row& r) {
  rule_source made;
  made.name = r.name;
  made.at = {"built-in rules", 0, 0};
  made.when = {std::string(r.when), made.at};
  made.until = {std::string(r.until), made.at};
  made.hold = r.hold;
  made.after = r.after;
  made.then = r.then;
  made.severity = r.severity;
  made.min_samples = r.min_samples;
  made.min_errors = r.min_errors;
  return made;
}

/// One rule for each of several signals, named after what the signal is of: "down:api" for `api.up`.
rule_source for_one(std::string_view name, const signal& s, std::string_view condition, std::string_view until, duration hold) {
  rule_source made;
  made.name = fmt::format("{}:{}", name, std::string_view(s.name).substr(0, s.name.rfind('.')));
  made.at = {"built-in rules", 0, 0};
  made.when = {fmt::format("{} {}", s.name, condition), made.at};
  if (!until.empty()) made.until = {fmt::format("{} {}", s.name, until), made.at};
  made.hold = hold;
  return made;
}

bool is_outcome(const signal& s) {
  return s.name.ends_with(".up") && s.kind == signal_kind::outcome && s.name != "live.up" && s.name != "stable.up";
}

bool is_gauge(const signal& s, unit in, std::string_view measurement) {
  return s.kind == signal_kind::gauge && s.in == in && s.name.ends_with(measurement);
}

bool is_free_space(const signal& s) {
  return is_gauge(s, unit::ratio, ".free_ratio");
}

bool is_certificate(const signal& s) {
  return is_gauge(s, unit::seconds, ".certificate_left");
}

/// "backup.age", "minio.backups.age": of a probe, or of something that a probe looks at, whose name begins so.
bool is_age_of_a_backup(const signal& s) {
  return is_gauge(s, unit::seconds, ".age") && (s.name.starts_with("backup") || s.name.contains(".backup"));
}

/// A rule of which there is one for each signal that it is for.
struct row_of_many {
  std::string_view name;
  bool (*is_for)(const signal& s);
  std::string_view when;   ///< what follows the signal's name
  std::string_view until;  ///< the same
  duration hold;
  std::string_view missing;  ///< why it is off where there is no such signal
};

constexpr std::array<row_of_many, 4> rows_of_many{{
    {"down", is_outcome, "== 0", "", minutes(1), "there is no probe"},
    {"certificate", is_certificate, "< 30d", "", {}, "no probe sees a certificate"},
    {"disk", is_free_space, "< 20%", ">= 25%", {}, "no probe gives a free_ratio"},
    {"backup", is_age_of_a_backup, "> 24h", "< 19h12m", {}, "no probe gives the age of something whose name begins with backup"},
}};

void add_rows_of_many(const catalogue& signals, const auto& replaced, rule_set& into) {
  for (const row_of_many& r : rows_of_many) {
    if (replaced(r.name)) continue;
    const std::size_t before = into.on.size();
    for (const signal& s : signals.all()) {
      if (r.is_for(s)) into.on.push_back(for_one(r.name, s, r.when, r.until, r.hold));
    }
    if (into.on.size() == before) into.off.push_back({std::string(r.name), std::string(r.missing)});
  }
}

}  // namespace

rule_set with_built_ins(std::span<const rule_source> own, const catalogue& signals, bool has_deployment) {
  rule_set made;
  const auto replaced = [&](std::string_view name) { return std::ranges::find(own, name, &rule_source::name) != own.end(); };
  for (const row& r : rows) {
    if (replaced(r.name)) continue;
    if (signals.find(r.needs) == nullptr) {
      made.off.push_back({std::string(r.name), fmt::format("no probe gives {}", r.needs)});
    } else if (r.then == consequence::rollback && !has_deployment) {
      made.off.push_back({std::string(r.name), "there is no [deployment] to roll back"});
    } else {
      made.on.push_back(written(r));
    }
  }
  add_rows_of_many(signals, replaced, made);
  for (const rule_source& r : own) {
    if (r.enabled)
      made.on.push_back(r);
    else
      made.off.push_back({r.name, "it is switched off"});
  }
  return made;
}

}  // namespace flipback::rules
