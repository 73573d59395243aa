#include "agent/notify/desk.hpp"

#include "flipback/compact_time.hpp"

#include "agent/incident/book.hpp"
#include "agent/incident/helped.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace flipback::notify {

namespace json = boost::json;
using incident::happening;
using incident::text_of;

namespace {

bool is_of_an_alert(const event& e) {
  return e.kind == "verdict.changed" && text_of(e, "then") == "alert";
}

/// What a person waits for; the rest can wait for a person.
urgency urgency_of(const event& e) {
  constexpr std::array<std::string_view, 4> now{"rollback.closed", "rollback.recovered", "rollback.asked", "rollback.decided"};
  return std::ranges::find(now, e.kind) != now.end() ? urgency::at_once : urgency::in_time;
}

/// Whether it makes another letter, and does not only stand in the next one.
bool is_news(const event& e) {
  if (incident::is_of_a_rollback_rule(e)) return text_of(e, "to") == "breached";
  return incident::is_a_stance(e) || e.kind.starts_with("rollback.") || e.kind == "deployment.cutover";
}

}  // namespace

void desk::take(const event& e, const moment& now) {
  if (e.kind.starts_with("notify.")) return;  // of the letters themselves
  if (e.kind == "probe.changed") take_probe(e);
  const std::string of = text_of(e, "incident");
  if (!of.empty() && (of == incident() || !incident::is_told_late(e))) take_incident(e, now);
  if (is_of_an_alert(e)) take_alert(e, now);
  take_cutover(e, now);
  if (e.kind == "incident.acknowledged") {
    for (auto* each : {&incident_, &alerts_}) {
      if (*each && (*each)->told() > 0 && !(*each)->is_over()) (*each)->acknowledge(e.says, now.at);
    }
  }
  if (!notices_.take(e, now.at)) return;
  letter told = at_once(subject::notice, e, now);
  if (const std::size_t more = notices_.take_left_out(); more > 0)
    told.ill.push_back(fmt::format("{} more were not told, as there were too many: `flipback log` has them", more));
  ready_.push_back(std::move(told));
}

void desk::remember(happening h) {
  happened_.push_back(std::move(h));
  if (happened_.size() <= most_of_one) return;
  const auto dull = [](const happening& each) { return !incident::is_operation(each.what.kind) && each.what.kind != "verdict.changed"; };
  const auto oldest = std::ranges::find_if(happened_, dull);
  happened_.erase(oldest != happened_.end() ? oldest : std::next(happened_.begin()));  // the first one says when it began
}

/// The incident that an event belongs to, which may be the first that is heard of it.
matter& desk::incident_of(const event& e, const moment& began, const moment& now) {
  const std::string id = text_of(e, "incident");
  if (incident_ && incident_->id() == id) return *incident_;
  if (incident_ && !incident_->is_over()) end_incident(now);  // its end is on no record
  if (incident_ && incident_->is_due(how_, now.at + matter::settles_in)) ready_.push_back(on_incident(now));
  happened_.clear();
  return incident_.emplace(id, began, true);
}

void desk::take_incident(const event& e, const moment& now) {
  matter& of = incident_of(e, now, now);
  remember({now.wall, e});
  if (e.kind == "incident.ended") return end_incident(now);
  if (is_news(e)) of.hear(urgency_of(e), now.at);
}

void desk::recall(const happening& h, const moment& now) {
  matter& of = incident_of(h.what, {now.at - std::chrono::duration_cast<duration>(now.wall - h.at), h.at}, now);
  remember(h);
  if (h.what.kind == "incident.ended") return end_incident(now);
  if (of.told() == 0 && is_news(h.what)) of.hear(urgency::at_once, now.at);  // the agent may have ended before it could tell
}

void desk::end_incident(const moment& now) {
  if (incident_->told() > 0 || incident_->next(how_))
    incident_->end(now.at);
  else
    incident_.reset();  // it was over before it was a breach: nobody is told
  gather_alerts(now);
}

void desk::take_probe(const event& e) {
  const std::string probe = text_of(e, "probe");
  if (text_of(e, "outcome") == "fail")
    failing_[probe] = e.says;
  else
    failing_.erase(probe);
}

void desk::take_alert(const event& e, const moment& now) {
  const std::string rule = text_of(e, "rule");
  const std::string to = text_of(e, "to");
  const bool is_new = to == "breached" && !breached_.contains(rule);
  if (to == "breached" && e.severity >= severity::warning) {
    breached_[rule] = {e.says, e.severity};
  } else if (to == "ok" || to == "pending") {
    if (breached_.erase(rule) == 0) return;
  } else {
    return;  // can't tell: it stands as it was told
  }
  if (alerts_) {
    alerted_.push_back({now.wall, e});
    if (alerted_.size() > most_news) alerted_.erase(alerted_.begin());
    if (to == "breached" && alerts_->told() > 0) alerts_->hear(urgency::in_time, now.at);  // else the first letter has it
    if (is_new && e.severity == severity::critical) alerts_->escalate_anew(now.at);
  } else if (incident_ && !incident_->is_over() && incident_->told() > 0) {
    incident_->hear(urgency::in_time, now.at);
  }
  gather_alerts(now);
}

/// Alerts are a matter of their own where no incident is open that they would be part of.
void desk::gather_alerts(const moment& now) {
  alerts_end_ = alerts_ && breached_.empty() ? std::optional(alerts_end_.value_or(now.at + alerts_are_over_after)) : std::nullopt;
  const bool incident_is_open = incident_ && !incident_->is_over() && (incident_->told() > 0 || incident_->next(how_));  // not pending
  if (alerts_ || breached_.empty() || incident_is_open) return;
  const bool is_bad = std::ranges::any_of(breached_, [](const auto& one) { return one.second.severity == severity::critical; });
  alerts_.emplace("alerts-" + compact_time(now.wall), now, is_bad);
  alerts_->wait_until(now.at + alerts_gather_for);
  alerted_.clear();
  for (const auto& [rule, is] : breached_) alerted_.push_back({now.wall, {"verdict.changed", is.severity, is.says, {}}});
}

void desk::take_cutover(const event& e, const moment& now) {
  const bool is_an_outcome = e.kind == "rollback.closed" || e.kind == "rollback.recovered";
  const bool rolled_back = is_an_outcome && text_of(e, "outcome") == "rolled back";
  if (!rolled_back && !e.kind.starts_with("deployment.")) return;
  if (!rolled_back && text_of(e, "live").empty()) return;
  live_ = {text_of(e, rolled_back ? "reached" : "live"), text_of(e, "release")};
  if (!rolled_back && e.kind != "deployment.cutover") return;
  letter told = at_once(subject::cutover, e, now);
  told.severity = severity::info;
  told.by_flipback = rolled_back;
  told.previous = text_of(e, "previous");
  told.previous_release = text_of(e, "previous_release");
  ready_.push_back(std::move(told));
}

void desk::settle(bool incident_is_open, const std::set<std::string>& alerting, const moment& now) {
  if (incident_ && !incident_is_open && !incident_->is_over()) end_incident(now);
  std::erase_if(breached_, [&](const auto& one) { return !alerting.contains(one.first); });
  gather_alerts(now);
}

std::vector<letter> desk::due(const moment& now) {
  std::vector<letter> all = written(now);
  if (!how_.name.empty()) {
    for (letter& each : all) each.title = fmt::format("{}: {}", how_.name, each.title);
  }
  return all;
}

std::vector<letter> desk::written(const moment& now) {
  std::vector<letter> all = std::exchange(ready_, {});
  if (incident_ && incident_->is_due(how_, now.at)) {
    all.push_back(on_incident(now));
    if (incident_->is_over()) incident_.reset();
  }
  if (alerts_ && alerts_end_ && *alerts_end_ <= now.at) {
    if (alerts_->told() > 0)
      alerts_->end(now.at - matter::settles_in);  // it has waited long enough
    else
      alerts_.reset();  // it was over before it was told
    alerts_end_.reset();
  }
  if (alerts_ && !is_unfounded() && alerts_->is_due(how_, now.at)) {
    all.push_back(on_alerts(now));
    if (alerts_->is_over()) {
      alerts_.reset();
      gather_alerts(now);
    }
  }
  return all;
}

std::optional<instant> desk::next() const {
  if (!ready_.empty()) return instant::min();
  std::optional<instant> earliest = alerts_end_;
  for (const auto* of : {&incident_, &alerts_}) {
    const auto at = *of && !(of == &alerts_ && is_unfounded()) ? (*of)->next(how_) : std::nullopt;
    if (at && (!earliest || *at < *earliest)) earliest = at;
  }
  return earliest;
}

/// Alerts that nobody was told of, while none of them is breached: they may flap.
bool desk::is_unfounded() const {
  return alerts_ && alerts_->told() == 0 && breached_.empty();
}

std::set<std::string> desk::open() const {
  std::set<std::string> found;
  for (const auto* of : {&incident_, &alerts_}) {
    if (*of && (*of)->told() > 0 && !(*of)->is_over()) found.insert((*of)->id());
  }
  return found;
}

std::string desk::awaits_acknowledgement() const {
  const auto awaits = [](const std::optional<matter>& of) { return of && of->told() > 0 && !of->is_over() && of->acknowledged().empty(); };
  std::string what = awaits(incident_) ? fmt::format("incident {}", incident_->id()) : "";
  if (!awaits(alerts_)) return what;
  std::vector<std::string> rules;
  for (const auto& [rule, its] : breached_) rules.push_back(rule);
  return what + fmt::format("{}alerts{}{}", what.empty() ? "" : ", ", rules.empty() ? "" : " of ", fmt::join(rules, ", "));
}

json::object desk::kept(const moment& now) const {
  json::object made;
  if (incident_) made["incident"] = incident_->kept(now);
  if (alerts_) made["alerts"] = alerts_->kept(now);
  json::array all;
  for (const auto& [rule, is] : breached_)
    all.push_back(json::object{{"rule", rule}, {"says", is.says}, {"critical", is.severity == severity::critical}});
  made["breached"] = std::move(all);
  made["notices"] = notices_.kept(now);
  return made;
}

void desk::restore(const json::object& from, const moment& now) {
  const auto matter_at = [&](const char* key) {
    const json::value* const found = from.if_contains(key);
    return found != nullptr && found->is_object() ? matter::restored(found->get_object(), now) : std::nullopt;
  };
  if (!incident_) incident_ = matter_at("incident");
  if (alerts_) return;  // they are of this life
  alerts_ = matter_at("alerts");
  if (const json::value* const told = from.if_contains("notices"); told != nullptr && told->is_array())
    notices_.restore(told->get_array(), now);
  const json::value* const all = from.if_contains("breached");
  if (!alerts_ || all == nullptr || !all->is_array()) return;
  for (const json::value& one : all->get_array()) {
    const json::object* const o = one.if_object();
    if (o == nullptr || !o->contains("rule") || !o->contains("says") || !o->contains("critical")) continue;
    const auto* const rule = o->at("rule").if_string();
    const auto* const says = o->at("says").if_string();
    if (rule == nullptr || says == nullptr) continue;
    breached_[std::string(*rule)] = {std::string(*says), o->at("critical") == json::value(true) ? severity::critical : severity::warning};
  }
}

}  // namespace flipback::notify
