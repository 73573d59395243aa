#include "probes/prometheus/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace flipback::prometheus {

namespace {

bool is_among(std::string_view text, const std::vector<std::string>& all) {
  return std::ranges::find(all, text) != all.end();
}

/// A label of an object of labels, "" where there is none of that name.
std::string_view label(const json::value& labels, std::string_view name) {
  const json::object* all = labels.if_object();
  const json::value* found = all == nullptr ? nullptr : all->if_contains(name);
  return found != nullptr && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
}

void take_alert(const json::value& alert, const alert_filter& filter, rules_state& into) {
  const json::value* labels = net::value_at(alert, "/labels");
  if (labels == nullptr || !filter.takes(*labels)) return;
  const auto state = net::text_at(alert, "/state");
  if (state == "pending") ++into.pending;
  if (state != "firing") return;
  const std::string_view name = label(*labels, "alertname");
  const std::string_view severity = label(*labels, "severity");
  auto at = std::ranges::find_if(into.firing, [&](const auto& known) { return known.name == name && known.severity == severity; });
  if (at == into.firing.end()) at = into.firing.insert(at, {std::string(name), std::string(severity), 0});
  ++at->count;
}

void take_rule(const json::value& rule, const alert_filter& filter, rules_state& into) {
  ++into.rules;
  const auto health = net::text_at(rule, "/health");
  const bool alerting = net::text_at(rule, "/type") == "alerting";
  if (health == "err")
    into.broken.push_back({net::text_at(rule, "/name").value_or(""), net::text_at(rule, "/lastError").value_or("no reason given")});
  if (alerting && health == "unknown") ++into.unevaluated;
  if (const json::array* alerts = alerting ? net::array_at(rule, "/alerts") : nullptr) {
    for (const json::value& alert : *alerts) take_alert(alert, filter, into);
  }
}

}  // namespace

bool alert_filter::takes(const json::value& labels_of_an_alert) const {
  if (is_among(label(labels_of_an_alert, "alertname"), ignored)) return false;
  return std::ranges::all_of(labels, [&](const auto& wanted) { return is_among(label(labels_of_an_alert, wanted.first), wanted.second); });
}

alert_filter read_alert_filter(settings::section& from) {
  alert_filter read;
  if (auto labels = from.inner("alert_filter")) {
    for (const auto& [name, value] : std::get<settings::table>(from.raw("alert_filter")->value)) {
      const auto* list = std::get_if<settings::array>(&value.value.front().value);
      if (list != nullptr && list->empty()) labels->report(name, "is empty, which no alert's label is among");
      read.labels.emplace(name, labels->texts(name));
    }
  }
  // kube-prometheus: Watchdog always fires, InfoInhibitor whenever an alert of severity "info" does.
  read.ignored = from.has("ignore_alerts") ? from.texts("ignore_alerts") : std::vector<std::string>{"Watchdog", "InfoInhibitor"};
  return read;
}

std::size_t rules_state::firing_count() const {
  return std::accumulate(firing.begin(), firing.end(), std::size_t(0),
                         [](std::size_t sum, const firing_alerts& a) { return sum + a.count; });
}

std::size_t rules_state::firing_count(std::string_view severity) const {
  return std::accumulate(firing.begin(), firing.end(), std::size_t(0),
                         [&](std::size_t sum, const firing_alerts& a) { return sum + (a.severity == severity ? a.count : 0); });
}

net::result<rules_state> read_rules(const json::value& data, const alert_filter& filter) {
  const json::array* groups = net::array_at(data, "/groups");
  if (groups == nullptr) return std::unexpected(net::failure{reason::bad_answer, "GET /api/v1/rules answered JSON without groups"});
  rules_state made;
  for (const json::value& group : *groups) {
    const json::array* rules = net::array_at(group, "/rules");
    if (rules == nullptr) continue;
    for (const json::value& rule : *rules) take_rule(rule, filter, made);
  }
  return made;
}

}  // namespace flipback::prometheus
