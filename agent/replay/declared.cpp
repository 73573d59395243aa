#include "agent/replay/declared.hpp"

#include "agent/config/catalogue.hpp"
#include "agent/config/make_probes.hpp"
#include "probes/net/network.hpp"
#include "probes/prometheus/queries.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::replay {

namespace {

void add_exposition(std::deque<exposition_probe>& into, const std::string& name, duration every, const settings::node& table) {
  settings::diagnostics said;  // when the probe was made
  exposition_probe& made = into.emplace_back();
  made.name = name;
  made.every = every;
  settings::section from(table, "probes." + name, said);
  made.by = exposition::read_terms(from, every, made.declared);
}

/// Nobody asks for it: what matters is its path, which is no traffic.
settings::node usual_table() {
  return {settings::table{{"url", {{}, {{std::string("http://127.0.0.1/metrics"), {}}}}}}, {}, 0};
}

void add_covers(std::map<std::string, duration>& into, const config::probe_entry& of) {
  settings::diagnostics said;
  declarations unused;
  settings::section from(of.table, "probes." + of.name, said);
  for (const prometheus::query& q : prometheus::read_queries(from, unused))
    into.emplace(fmt::format("{}.{}", of.name, q.measured_as), q.covers);
}

/// The units of the traffic's signals, where a query gives one as a number.
unit unit_of_traffic(std::string_view measurement) {
  constexpr std::array<std::string_view, 4> quantiles{"p50", "p90", "p95", "p99"};
  if (measurement.ends_with("_rate")) return unit::ratio;
  if (measurement == "rps") return unit::per_second;
  return std::ranges::find(quantiles, measurement) != quantiles.end() ? unit::seconds : unit::number;
}

}  // namespace

declared_signals declared_by(const config::configuration& from, settings::diagnostics& problems) {
  asio::io_context loop;
  net::network network(loop.get_executor());
  declared_signals made;
  const auto probes = config::make_probes(from, {loop.get_executor(), network, config::upstreams_of(from)}, problems);
  made.all = config::signals_of(from, probes);
  if (!problems.clean()) return made;
  for (const config::probe_entry& p : from.probes) {
    if (p.type == "exposition") add_exposition(made.expositions, p.name, p.every, p.table);
    if (p.type == "promql") add_covers(made.covers, p);
  }
  if (made.expositions.empty()) add_exposition(made.expositions, "traffic", {}, usual_table());
  return made;
}

signal queried_signal(const std::string& name, const declared_signals& declared) {
  const std::string_view measurement = std::string_view(name).substr(name.rfind('.') + 1);
  signal made;
  if (const signal* known = declared.all.find(name)) {
    made = *known;
  } else if (const auto common = std::ranges::find(config::common_measurements(), measurement, &measurement_declaration::name);
             common != config::common_measurements().end()) {
    made.kind = common->kind;
    made.in = common->in;
  } else if (name.starts_with("traffic.")) {
    made.in = unit_of_traffic(measurement);
  }
  made.name = made.samples = name;
  made.quantile = 0;
  if (made.kind == signal_kind::ratio || made.kind == signal_kind::distribution) made.kind = signal_kind::gauge;
  return made;
}

}  // namespace flipback::replay
