#include "agent/serve/metrics.hpp"

#include "flipback/one_line.hpp"

#include "agent/serve/standing_text.hpp"

#include <boost/json.hpp>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

namespace flipback::serve {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily family(std::string name, std::string help, MetricType type) {
  return {std::move(name), std::move(help), type, {}};
}

void add(MetricFamily& to, double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric made;
  made.label = std::move(labels);
  if (to.type == MetricType::Counter)
    made.counter.value = value;
  else
    made.gauge.value = value;
  to.metric.push_back(std::move(made));
}

void add(MetricFamily& to, const prometheus::Histogram& times, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric made = times.Collect();
  made.label = std::move(labels);
  to.metric.push_back(std::move(made));
}

void add_probes(const std::vector<watched>& probes, std::vector<MetricFamily>& into) {
  MetricFamily up = family("flipback_probe_up", "Whether the probe's newest run passed; absent while unknown.", MetricType::Gauge);
  MetricFamily latency = family("flipback_probe_latency_seconds", "How long the probe's newest run took.", MetricType::Gauge);
  MetricFamily runs = family("flipback_probe_runs_total", "Runs of the probe by outcome.", MetricType::Counter);
  for (const watched& w : probes) {
    const ClientMetric::Label name{"probe", w.entry->name};
    if (w.newest && w.newest->result != outcome::unknown) add(up, w.newest->result == outcome::pass ? 1 : 0, {name});
    if (w.newest) add(latency, to_seconds(w.newest->latency), {name});
    add(runs, static_cast<double>(w.passes), {name, {"outcome", "pass"}});
    add(runs, static_cast<double>(w.fails), {name, {"outcome", "fail"}});
    add(runs, static_cast<double>(w.unknowns), {name, {"outcome", "unknown"}});
  }
  into.push_back(std::move(up));
  into.push_back(std::move(latency));
  into.push_back(std::move(runs));
}

/// What came of the runs of each probe. The reasons are a fixed few; a probe has those alone that it has met.
void add_runs(const std::vector<watched>& probes, std::vector<MetricFamily>& into) {
  MetricFamily took = family("flipback_probe_duration_seconds",
                             "How long the probe's runs took, but for those that ended unknown or were not tried.", MetricType::Histogram);
  MetricFamily not_passed =
      family("flipback_probe_not_passed_total", "Runs of the probe that failed or ended unknown, by why.", MetricType::Counter);
  for (const watched& w : probes) {
    const ClientMetric::Label name{"probe", w.entry->name};
    add(took, *w.took, {name});
    for (const auto& [why, many] : w.not_passed) {
      add(not_passed, static_cast<double>(many),
          {name, {"outcome", std::string(name_of(why.first))}, {"reason", std::string(name_of(why.second))}});
    }
  }
  into.push_back(std::move(took));
  into.push_back(std::move(not_passed));
}

void add_own_times(own_times& measured, std::vector<MetricFamily>& into) {
  MetricFamily lag = family("flipback_loop_lag_seconds", "How late our loop woke up for what was due.", MetricType::Histogram);
  add(lag, measured.lag());
  into.push_back(std::move(lag));
  MetricFamily longest =
      family("flipback_loop_lag_max_seconds", "The longest of these since the scrape before this one.", MetricType::Gauge);
  add(longest, to_seconds(measured.take_longest_lag()));
  into.push_back(std::move(longest));
  MetricFamily writes = family("flipback_store_write_duration_seconds",
                               "How long the disk took for a fact that must outlive the agent, or to fail to.", MetricType::Histogram);
  add(writes, measured.writes());
  into.push_back(std::move(writes));
}

void add_rules(rules::engine& judged, instant now, std::vector<MetricFamily>& into) {
  MetricFamily verdicts = family("flipback_rule_verdict", "1 for the verdict that the rule has now.", MetricType::Gauge);
  MetricFamily values = family("flipback_rule_value", "The value that the rule's deciding comparison looks at.", MetricType::Gauge);
  MetricFamily thresholds = family("flipback_rule_threshold", "What that value is held against.", MetricType::Gauge);
  for (std::size_t i = 0; i < judged.rules().size(); ++i) {
    const ClientMetric::Label name{"rule", judged.rules()[i].from.name};
    for (const rules::verdict v : {rules::verdict::ok, rules::verdict::pending, rules::verdict::breached, rules::verdict::unknown}) {
      add(verdicts, judged.verdict_of(i) == v ? 1 : 0, {name, {"verdict", std::string(rules::name_of(v))}});
    }
    const rules::evaluation found = judged.explain(i, now);
    if (found.value) add(values, *found.value, {name});
    if (found.threshold) add(thresholds, *found.threshold, {name});
  }
  into.push_back(std::move(verdicts));
  into.push_back(std::move(values));
  into.push_back(std::move(thresholds));
}

void add_signals(rules::engine& judged, instant now, std::vector<MetricFamily>& into) {
  MetricFamily signals = family("flipback_signal", "The signals that rules read, as they read them now.", MetricType::Gauge);
  for (const auto& [label, value] : judged.readings(now)) add(signals, value, {{"signal", label}});
  into.push_back(std::move(signals));
}

void add_deployment(const deployment::standing& s, const std::vector<config::slot>& slots, std::vector<MetricFamily>& into) {
  MetricFamily live =
      family("flipback_deployment_live", "1 for the live slot: the one on which the switch and users agreed last.", MetricType::Gauge);
  for (const config::slot& slot : slots) add(live, slot.name == s.live ? 1 : 0, {{"slot", slot.name}});
  into.push_back(std::move(live));
  MetricFamily window = family("flipback_deployment_window_open", "Whether the rollback window is open.", MetricType::Gauge);
  add(window, s.window_open ? 1 : 0);
  into.push_back(std::move(window));
  MetricFamily latched =
      family("flipback_deployment_latched", "Whether a release was rolled back and the latch is shut.", MetricType::Gauge);
  add(latched, s.latched ? 1 : 0);
  into.push_back(std::move(latched));
  MetricFamily ready = family("flipback_deployment_ready",
                              "Whether everything that a rollback would need is there; absent until it was looked.", MetricType::Gauge);
  if (s.ready_looked) add(ready, std::ranges::none_of(s.lacks, &deployment::lack::blocking) ? 1 : 0);
  into.push_back(std::move(ready));
  MetricFamily held = family("flipback_deployment_held", "Whether a hold keeps automatic rollbacks from acting.", MetricType::Gauge);
  add(held, s.held.empty() ? 0 : 1);
  into.push_back(std::move(held));
  MetricFamily asked = family("flipback_deployment_asked", "Rollbacks that wait for `flipback approve`.", MetricType::Gauge);
  add(asked, static_cast<double>(s.questions.size()));
  into.push_back(std::move(asked));
}

/// What has been told: how it went with rollbacks, by what came of them.
void add_told(const tally& told, bool in_an_incident, std::vector<MetricFamily>& into) {
  const auto counter = [&](const char* name, const char* help) -> MetricFamily& {
    return into.emplace_back(family(name, help, MetricType::Counter));
  };
  const auto gauge = [&](const char* name, const char* help) -> MetricFamily& {
    return into.emplace_back(family(name, help, MetricType::Gauge));
  };
  MetricFamily& events = counter("flipback_events_total", "Events that were told, by severity.");
  for (const severity s : {severity::debug, severity::info, severity::warning, severity::critical})
    add(events, static_cast<double>(told.events.at(static_cast<std::size_t>(s))), {{"severity", std::string(name_of(s))}});
  add(counter("flipback_cutovers_total", "Cutovers that were seen."), static_cast<double>(told.cutovers));
  add(counter("flipback_incidents_total", "Incidents that were breaches and are over."), static_cast<double>(told.incidents));
  add(gauge("flipback_incident_open", "Whether an incident is open: a rollback rule is pending or breached, or a rollback is under way."),
      in_an_incident ? 1 : 0);
  MetricFamily& rollbacks = counter("flipback_rollbacks_total", "Rollbacks that have ended, by outcome.");
  for (const auto& [outcome, many] : told.rollbacks) add(rollbacks, static_cast<double>(many), {{"outcome", outcome}});
  MetricFamily& flips = counter("flipback_flips_total", "Flips that have ended, by outcome.");
  for (const auto& [outcome, many] : told.flips) add(flips, static_cast<double>(many), {{"outcome", outcome}});
  MetricFamily& decided =
      counter("flipback_rollbacks_decided_total", "Rollbacks that were decided, by the rule or word that they rest on.");
  for (const auto& [rule, many] : told.by_rule) add(decided, static_cast<double>(many), {{"rule", rule}});
  MetricFamily& held =
      counter("flipback_rollbacks_held_back_total", "Breaches that were not acted on, by what became of them and the guard.");
  for (const auto& [by, many] : told.held_back) add(held, static_cast<double>(many), {{"stance", by.first}, {"guard", by.second}});
  MetricFamily& steps = gauge("flipback_rollback_step_seconds", "How long each step of the newest rollback took.");
  for (const auto& [step, took] : told.steps) add(steps, to_seconds(took), {{"step", step}});
  add(gauge("flipback_history_kept", "Whether what happens can be put on record."), told.history_is_kept ? 1 : 0);
}

/// Of each letter's every attempt; a target has all outcomes from the beginning.
void add_notifications(const notify::notifier& of, std::vector<MetricFamily>& into) {
  MetricFamily attempts = family("flipback_notifications_total", "Attempts to tell people, by target and outcome.", MetricType::Counter);
  MetricFamily failing = family("flipback_notifications_failing", "Whether the target's newest letter did not arrive.", MetricType::Gauge);
  for (const auto& t : of.reaches().targets) {
    const std::string& name = t.entry.name;
    for (const auto* outcome : {"delivered", "retried", "given_up"}) {
      const auto found = of.counts().find({name, outcome});
      add(attempts, found == of.counts().end() ? 0 : static_cast<double>(found->second), {{"target", name}, {"outcome", outcome}});
    }
    add(failing, of.sent().is_failing(name) != nullptr ? 1 : 0, {{"target", name}});
  }
  into.push_back(std::move(attempts));
  into.push_back(std::move(failing));
}

}  // namespace

std::string metrics_text(generation& of, const tally& told, own_times& measured, const notify::notifier& people, bool in_an_incident) {
  const instant now = std::chrono::steady_clock::now();
  std::vector<MetricFamily> all;
  MetricFamily build = family("flipback_build_info", "1, with the version.", MetricType::Gauge);
  add(build, 1, {{"version", FLIPBACK_VERSION}});
  all.push_back(std::move(build));
  add_probes(of.probes(), all);
  add_runs(of.probes(), all);
  MetricFamily skipped =
      family("flipback_schedule_skipped_total", "Runs that were due while the one before had not ended.", MetricType::Counter);
  add(skipped, static_cast<double>(of.schedule().skipped));
  all.push_back(std::move(skipped));
  MetricFamily late = family("flipback_schedule_timed_out_total", "Runs that reached their deadline.", MetricType::Counter);
  add(late, static_cast<double>(of.schedule().timed_out));
  all.push_back(std::move(late));
  add_rules(of.judged(), now, all);
  add_signals(of.judged(), now, all);
  if (const auto s = of.stands()) add_deployment(*s, of.configured().slots, all);
  add_told(told, in_an_incident, all);
  add_notifications(people, all);
  add_own_times(measured, all);
  return prometheus::TextSerializer().Serialize(all);
}

std::string health_text(generation& of, const on_record& known) {
  boost::json::object page{{"status", "healthy"}, {"version", FLIPBACK_VERSION}};
  std::size_t pass = 0;
  std::size_t fail = 0;
  std::size_t unknown = 0;
  for (const watched& w : of.probes()) {
    if (!w.newest || w.newest->result == outcome::unknown)
      ++unknown;
    else if (w.newest->result == outcome::pass)
      ++pass;
    else
      ++fail;
  }
  page["probes"] = boost::json::object{{"pass", pass}, {"fail", fail}, {"unknown", unknown}};
  page["untold"] = known.untold;
  if (const auto s = of.stands()) page["deployment"] = as_object(*s, of.configured().slots);
  return escaped_json(boost::json::serialize(page)) + "\n";
}

}  // namespace flipback::serve
