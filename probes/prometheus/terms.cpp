#include "probes/prometheus/terms.hpp"

#include "flipback/shown_item.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace flipback::prometheus {

namespace {

constexpr std::size_t most_jobs = 50;  // one that is missing is asked for by a question of its own

void read_facets(settings::section& from, terms& into) {
  for (std::size_t f = 0; f < facets.size(); ++f) into.looks.at(f) = from.boolean(facets.at(f), true);
  const std::vector<std::string> words =
      from.has("fail_on") ? from.texts("fail_on") : std::vector<std::string>{"targets", "rules", "config"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto* const at = std::ranges::find(facets, word);
    if (at == facets.end())
      from.report("fail_on",
                  fmt::format("has {} in it, expected some of: {}", settings::shown_item(from, "fail_on", i), fmt::join(facets, ", ")));
    else
      into.fails.at(static_cast<std::size_t>(at - facets.begin())) = true;
    if (at != facets.end() && from.has("fail_on") && !into.looks.at(static_cast<std::size_t>(at - facets.begin())))
      from.report("fail_on", fmt::format("has \"{}\" in it, which is not looked at: {} = false", word, word));
  }
}

/// A key's names, each once, and a measurement for each.
std::vector<counted> declared_of(std::vector<std::string> names, std::string_view measurement, declarations& declared) {
  std::vector<counted> made;
  for (std::string& name : names) {
    if (std::ranges::find(made, name, &counted::name) != made.end()) continue;
    const std::string_view measured_as = declared.add_of(name, measurement, signal_kind::gauge, unit::number);
    made.push_back({std::move(name), measured_as});
  }
  return made;
}

void read_targets(settings::section& from, terms& into, declarations& declared) {
  std::vector<std::string> jobs = from.texts("jobs");
  into.ignored_jobs = from.texts("ignore_jobs");
  if (!jobs.empty() && !into.ignored_jobs.empty())
    from.report("ignore_jobs", "stands beside jobs, beyond which none is looked at: expected one of them");
  if (jobs.size() > most_jobs) from.report("jobs", fmt::format("has {} jobs, expected at most {}", jobs.size(), most_jobs));
  if (!into.looks_at(facet::targets)) return;
  declared.add({"targets", signal_kind::gauge, unit::number});
  declared.add({"targets_down", signal_kind::gauge, unit::number});
  into.jobs = declared_of(std::move(jobs), "targets_down", declared);
}

void read_alerts(settings::section& from, terms& into, declarations& declared) {
  into.alerts = read_alert_filter(from);
  const auto filtered = into.alerts.labels.find("severity");
  std::vector<std::string> severities = from.texts("severities");
  if (severities.empty())
    severities = filtered != into.alerts.labels.end() ? filtered->second : std::vector<std::string>{"critical", "warning", "info"};
  if (!into.looks_at(facet::alerts)) return;
  declared.add({"alerts_firing", signal_kind::gauge, unit::number});
  declared.add({"alerts_pending", signal_kind::gauge, unit::number});
  into.severities = declared_of(std::move(severities), "alerts_firing", declared);
}

}  // namespace

bool terms::counts_job(std::string_view job) const {
  return std::ranges::find(ignored_jobs, job) == ignored_jobs.end();
}

terms read_terms(settings::section& from, declarations& declared) {
  terms t;
  t.access = read_access(from);
  read_facets(from, t);
  read_targets(from, t, declared);
  read_alerts(from, t, declared);
  if (t.looks_at(facet::rules)) {
    declared.add({"rules", signal_kind::gauge, unit::number});
    declared.add({"rules_unhealthy", signal_kind::gauge, unit::number});
  }
  if (t.looks_at(facet::config)) declared.add({"config_loaded", signal_kind::gauge, unit::number});
  declared.add_certificate(t.access.ask.to);
  return t;
}

}  // namespace flipback::prometheus
