#include "agent/judging/observing.hpp"

#include "agent/config/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback {

namespace {

/// What every probe gives (semantics.md §2), from what this run saw.
std::optional<measured> common_value(std::string_view name, const watched& of, const observation& seen) {
  const bool known = seen.result != outcome::unknown;
  if (name == "up" && known) return seen.result == outcome::pass ? 1.0 : 0.0;
  // What answered is reachable even where nothing can be said of its health: it limits us.
  if (name == "reachable" && (known || answered(seen.why))) return answered(seen.why) ? 1.0 : 0.0;
  if (name == "latency" && known) return to_seconds(seen.latency);
  if (name == "consecutive_failures" && known) return static_cast<double>(of.failures_in_a_row);
  if (name == "failure_ratio" && known) return pooled{seen.result == outcome::fail ? 1.0 : 0.0, 1.0};
  return std::nullopt;
}

bool is_common(std::string_view name) {
  return std::ranges::find(config::common_measurements(), name, &measurement_declaration::name) != config::common_measurements().end();
}

/// What is not tried again yet, after wrong credentials, is told at once as it was answered then.
bool was_tried(const run& r) {
  return r.deadline > r.started;
}

void count(watched& by, const run& of, const observation& seen) {
  switch (seen.result) {
    case outcome::pass:
      ++by.passes;
      by.failures_in_a_row = 0;
      break;
    case outcome::fail:
      ++by.fails;
      ++by.failures_in_a_row;
      break;
    case outcome::unknown:
      ++by.unknowns;
      break;
  }
  if (seen.result != outcome::pass) ++by.not_passed[{seen.result, seen.why}];
  if (seen.result != outcome::unknown && was_tried(of)) by.took->Observe(to_seconds(seen.latency));
}

}  // namespace

observing::observing(const std::vector<config::made_probe>& probes, rules::engine& judged, recorder* recorded,
                     std::function<void(event)> tell)
    : judged_(judged), recorded_(recorded), tell_(std::move(tell)) {
  for (const config::made_probe& p : probes) {
    watched_.push_back({.entry = p.entry, .observed = p.observed.get(), .took = std::make_unique<prometheus::Histogram>(time_buckets())});
    std::vector<route>& routes = routes_.emplace_back();
    const auto add = [&](const measurement_declaration& m) {
      const std::string_view samples = m.of.empty() ? m.name : m.of;
      const std::string name = fmt::format("{}.{}", p.entry->name, samples);
      const auto series = judged_.series_named(name);
      const bool routed = std::ranges::find(routes, samples, &route::measurement) != routes.end();
      if ((series || recorded_ != nullptr) && !routed)
        routes.push_back({samples, series, recorded_ != nullptr ? recorded_->series_named(name) : 0});
    };
    for (const measurement_declaration& m : config::common_measurements()) add(m);
    for (const measurement_declaration& m : p.observed->declares()) add(m);
    routes.shrink_to_fit();
  }
}

void observing::take(std::size_t which, const run& of, const observation& seen) {
  watched& w = watched_[which];
  const std::optional<outcome> before = w.newest ? std::optional(w.newest->result) : std::nullopt;
  count(w, of, seen);
  for (const earlier& e : seen.before) {
    for (const route& r : routes_[which]) {
      const auto found = std::ranges::find(e.measurements, r.measurement, &measurement::name);
      const bool known = r.series && of.started - e.to <= judged_.known_until(*r.series);  // seen before a reload
      if (found == e.measurements.end() || known) continue;
      const instant from = found->since != instant{} ? found->since : of.started - e.from;
      give(r, {from, of.started - e.to, found->value, found->quiet});
    }
  }
  const instant at = of.started + seen.latency;
  w.at = at;
  for (const route& r : routes_[which]) {
    sample s{of.started, at, std::nullopt, false};
    const auto found = std::ranges::find(seen.measurements, r.measurement, &measurement::name);
    if (is_common(r.measurement)) {
      s.value = common_value(r.measurement, w, seen);
    } else if (found != seen.measurements.end()) {
      s.value = found->value;
      s.quiet = found->quiet;
      if (found->since != instant{}) s.from = found->since;
    }
    give(r, s);
  }
  for (const std::string& says : seen.news)
    tell_(event{"probe.noticed", severity::info, fmt::format("{}: {}", w.entry->name, says), {}}.with("probe", w.entry->name));
  if (w.newest && w.newest->result == seen.result && w.newest->why == seen.why) {
    w.newest->latency = seen.latency;
    if (w.newest->says != seen.says) w.newest->says = seen.says;
    return;
  }
  w.newest = observation{.result = seen.result, .why = seen.why, .says = seen.says, .latency = seen.latency};
  tell_change(w, seen, before);
}

void observing::give(const route& to, const sample& s) {
  if (to.series) judged_.add(*to.series, s);
  if (recorded_ != nullptr) recorded_->add(to.recorded, s);
}

void observing::tell_change(const watched& of, const observation& seen, const std::optional<outcome>& before) {
  if (before == seen.result) return;
  const bool news = before || seen.result != outcome::pass;
  event e{"probe.changed",
          !news                          ? severity::debug
          : seen.result == outcome::pass ? severity::info
                                         : severity::warning,
          fmt::format("{} {}: {}", of.entry->name, seen.result == outcome::pass ? "passes" : name_of(seen.result), seen.says),
          {}};
  e.with("probe", of.entry->name).with("outcome", std::string(name_of(seen.result))).with("reason", std::string(name_of(seen.why)));
  e.with("latency", to_seconds(seen.latency));
  tell_(std::move(e));
}

}  // namespace flipback
