#include "probes/exposition/terms.hpp"

#include "probes/exposition/scrape.hpp"
#include "probes/exposition/traffic.hpp"
#include "probes/net/http_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace flipback::exposition {

namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::string_view instrumentator = "prometheus-fastapi-instrumentator";
constexpr std::string_view exporter = "starlette_exporter";

/// prometheus_fastapi_instrumentator/metrics.py (default): statuses are grouped, handlers are templates; the durations with labels have
/// three buckets, those without have 21.
naming of_instrumentator() {
  return {"http_requests_total", {"http_request_duration_highr_seconds", "http_request_duration_seconds"}, "status", "handler", "method"};
}

/// starlette_exporter/middleware.py.
naming of_exporter(const std::string& prefix) {
  return {prefix + "_requests_total", {prefix + "_request_duration_seconds"}, "status_code", "path", "method"};
}

label_values read_labels(settings::section& from) {
  label_values read;
  const settings::node* found = from.raw("labels");
  auto inner = from.inner("labels");
  if (found == nullptr || !inner) return read;
  for (const auto& [name, unused] : std::get<settings::table>(found->value)) {
    if (auto value = inner->text(name)) read.emplace_back(name, std::move(*value));
  }
  return read;
}

void read_namings(settings::section& from, terms& into) {
  const std::string library = from.choice("library", "auto", {"auto", instrumentator, exporter, "none"});
  const std::string prefix = from.text("prefix", "starlette");
  const auto requests = from.text("requests");
  const auto duration = from.text("duration");
  naming own{
      requests.value_or(""), {}, from.text("status_label", "status"), from.text("path_label", "path"), from.text("method_label", "method")};
  for (const char* key : {"status_label", "path_label", "method_label"}) {
    if (from.has(key) && !requests) from.report(key, "stands without requests: expected the name of the counter that has it");
  }
  if (requests && from.has("library")) from.report("requests", "stands beside library: expected one of them");
  if (from.has("prefix") && (requests || library == instrumentator || library == "none"))
    from.report("prefix", fmt::format("is of {} alone", exporter));
  std::vector<naming>& namings = into.look_at.namings;
  if (requests) {
    namings.push_back(std::move(own));
  } else {
    if (library == "auto" || library == instrumentator) namings.push_back(of_instrumentator());
    if (library == "auto" || library == exporter) namings.push_back(of_exporter(prefix));
  }
  if (duration) {
    if (namings.empty()) from.report("duration", "stands without requests, whose durations it would be");
    for (naming& n : namings) n.durations = {*duration};
  }
  into.limited = requests || library == exporter;
}

/// A metric's unit is its name's last word (Prometheus' and OpenMetrics' rules for names).
unit read_unit(settings::section& from, std::string_view metric) {
  constexpr std::array<std::pair<std::string_view, unit>, 3> units{
      {{"seconds", unit::seconds}, {"bytes", unit::bytes}, {"ratio", unit::ratio}}};
  std::string_view usual = "number";
  for (const auto& [word, unused] : units) {
    if (metric.ends_with(fmt::format("_{}", word))) usual = word;
  }
  const std::string chosen = from.choice("unit", usual, {"number", "seconds", "bytes", "ratio"});
  for (const auto& [word, u] : units) {
    if (chosen == word) return u;
  }
  return unit::number;
}

bool is_measurement_name(std::string_view name) {
  return std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
}

void read_metric(const std::string& name, settings::section& from, terms& into, declarations& declared) {
  metric read;
  read.name = from.required_text("name", "queue_length");
  read.labels = read_labels(from);
  const bool has_quantile = from.has("quantile");
  const double quantile = from.ratio("quantile", 0);
  const bool counts = read.name.ends_with("_total") || read.name.ends_with("_count") || read.name.ends_with("_sum");
  const std::string kind = from.choice("kind", counts ? "counter" : "gauge", {"gauge", "counter"});
  if (has_quantile && from.has("kind")) from.report("kind", "stands beside quantile, which only a histogram has");
  read.kind = has_quantile ? signal_kind::distribution : kind == "counter" ? signal_kind::counter : signal_kind::gauge;
  const unit in = read_unit(from, read.name);
  if (!is_measurement_name(name)) from.report_here("is no name for a measurement: expected letters, digits, _ and -");
  const bool taken = std::ranges::any_of(declared.all(), [&](const measurement_declaration& d) { return d.name == name || d.of == name; });
  if (taken || declarations::is_every_probes(name)) from.report_here("is measured already; expected another name for it");
  from.finish();
  into.metrics.push_back(declared.keep(name));
  declared.add({.name = into.metrics.back(),
                .kind = read.kind,
                .in = in,
                .quantile = quantile,
                .tells = has_quantile ? telling::requests : telling::nothing});
  into.look_at.metrics.push_back(std::move(read));
}

}  // namespace

terms read_terms(settings::section& from, duration every, declarations& declared) {
  terms read;
  net::http_request& ask = read.access.ask;
  ask = net::read_http_request(from, "http://127.0.0.1:8001/metrics");
  ask.answer_limit = text_bounds{}.bytes;
  ask.headers.emplace_back("Accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
  net::read_credentials(from, read.access);
  read_namings(from, read);
  selection& look_at = read.look_at;
  look_at.labels = read_labels(from);
  look_at.left_out_paths = from.has("health_paths") ? from.texts("health_paths") : std::vector<std::string>{"/health"};
  look_at.left_out_paths.push_back(ask.to.target.substr(0, ask.to.target.find('?')));
  if (auto exclude = from.inner("exclude")) {
    look_at.left_out_prefixes = exclude->texts("paths");
    look_at.left_out_methods = exclude->texts("methods");
    exclude->finish();
  }
  read.longest_gap = from.span("longest_gap", usual_gap(every), seconds(1), hours(24));
  if (from.has("longest_gap") && read.longest_gap < every)
    from.report("longest_gap", fmt::format("found {}, expected at least every, {}: nothing would ever be counted",
                                           from.shown("longest_gap"), format_duration(every)));
  read.traffic = !look_at.namings.empty();
  if (read.traffic) declare_traffic(declared, read.limited);
  for (auto& [name, table] : from.inners("metrics")) read_metric(name, table, read, declared);
  if (!read.traffic && look_at.metrics.empty()) from.report_here("looks at nothing: expected requests or [metrics]");
  declared.add_certificate(ask.to);
  from.finish();
  return read;
}

}  // namespace flipback::exposition
