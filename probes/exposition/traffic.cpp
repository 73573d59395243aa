#include "probes/exposition/traffic.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace flipback::exposition {

namespace {

struct rate {
  std::string_view name;
  double tally::* counts;
};
constexpr std::array rates{rate{"error_rate", &tally::errors}, rate{"client_error_rate", &tally::client_errors},
                           rate{"success_rate", &tally::successes}};
constexpr std::array<std::pair<std::string_view, double>, 4> quantiles{{{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}}};
constexpr std::string_view latencies = "latencies";
constexpr double slow = 1;  // seconds: what the built-in rule takes for an outage

}  // namespace

void declare_traffic(declarations& into, bool limited) {
  const auto add = [&](std::string_view name, signal_kind kind, unit in) {
    into.add({.name = name,
              .kind = kind,
              .in = in,
              .stale = traffic_stale,
              .tells = name == "error_rate" ? telling::errors : telling::requests});
  };
  add("requests", signal_kind::gauge, unit::number);
  add("rps", signal_kind::ratio, unit::per_second);
  for (const rate& r : rates) add(r.name, signal_kind::ratio, unit::ratio);
  if (limited) add("limited_rate", signal_kind::ratio, unit::ratio);
  for (const auto& [name, q] : quantiles)
    into.add({.name = name,
              .kind = signal_kind::distribution,
              .in = unit::seconds,
              .quantile = q,
              .of = latencies,
              .stale = traffic_stale,
              .tells = telling::slowness});
}

void measure_traffic(findings& into, const reading& from, bool limited, instant since, instant now) {
  const tally& t = from.grown;
  const bool quiet = t.requests == 0;
  into.measure({"requests", t.requests, quiet, since});
  into.measure({"rps", pooled{t.requests, to_seconds(now - since)}, quiet, since});
  for (const rate& r : rates) into.measure({r.name, pooled{t.*r.counts, t.requests}, quiet, since});
  if (limited && !from.grouped) into.measure({"limited_rate", pooled{t.limited, t.requests}, quiet, since});
  if (from.latencies) into.measure({latencies, from.latencies, from.latencies->count() == 0, since});
}

std::string sentence(const reading& from, instant since, instant now) {
  if (from.how == growth::none) {
    return fmt::format("{:.0f} requests and {:.0f} errors so far; rates from the next scrape on", from.so_far.requests, from.so_far.errors);
  }
  const duration over = std::chrono::duration_cast<std::chrono::milliseconds>(now - since);
  std::string says = fmt::format("{:.0f} requests in {}, {:.0f} errors", from.grown.requests, format_duration(over), from.grown.errors);
  const double p95 = from.latencies && from.latencies->is_uniform() ? from.latencies->quantile(0.95) : std::nan("");
  if (std::isnan(p95)) return says;
  const std::string_view at_least = p95 == from.largest_bound ? "at least " : "";
  return says + fmt::format(", P95 {}{}", at_least, format_value(p95, unit::seconds));
}

void note_limits(findings& into, const reading& from, bool limited) {
  if (from.durations.empty()) {
    into.note("no durations are exposed: latencies are not known");
  } else if (!from.latencies->is_uniform()) {
    into.note(fmt::format("series of {} have different buckets: no quantile can be told", from.durations));
  } else if (from.largest_bound <= slow) {
    const std::string bound = format_value(from.largest_bound, unit::seconds);
    into.note(
        fmt::format("the buckets of {} end at {}: no quantile above it can be told, a rule on more never breaches", from.durations, bound));
  }
  if (from.so_far.unknown > 0)
    into.note(fmt::format("{:.0f} requests have no status in the label {}: whether they were errors is not known", from.so_far.unknown,
                          from.by->status));
  if (limited && from.grouped) into.note("statuses come in groups: no limited_rate");
  if (from.unusable > 0) into.note(fmt::format("{} samples are not what they should be", from.unusable));
}

}  // namespace flipback::exposition
