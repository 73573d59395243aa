// What the desk writes: its letters.

#include "flipback/compact_time.hpp"

#include "agent/deployment/with_release.hpp"
#include "agent/incident/book.hpp"
#include "agent/incident/report.hpp"
#include "agent/notify/desk.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ranges>
#include <string_view>

namespace flipback::notify {

using incident::happening;

namespace {

std::vector<piece_of_news> newest_of(const std::vector<happening>& all) {
  std::vector<piece_of_news> found;
  const auto says_nothing_new = [](const event& e) {
    return e.kind == "incident.began" || e.kind == "incident.ended" || e.kind.starts_with("agent.") || e.severity == severity::debug;
  };
  for (const auto& [at, what] : all) {
    const bool counts = incident::is_operation(what.kind) || what.kind == "verdict.changed";
    if (counts && !says_nothing_new(what)) found.push_back({at, what.says});
  }
  if (found.size() > desk::most_news) found.erase(found.begin(), found.end() - desk::most_news);
  return found;
}

/// "error-rate is breached: traffic.error_rate over 5m is 12.1%, …" of "error-rate: ok → breached: traffic.error_rate …".
std::string as_breach(const std::string& says) {
  constexpr std::string_view becomes = " → breached: ";
  const std::size_t at = says.find(becomes);
  const std::size_t colon = says.find(": ");
  if (at == std::string::npos || colon >= at) return says;
  return fmt::format("{} is breached: {}", says.substr(0, colon), says.substr(at + becomes.size()));
}

std::string lasted(const letter& of) {
  return format_duration(std::chrono::floor<std::chrono::seconds>(of.lasted()));
}

}  // namespace

letter desk::letter_on(const matter& of, subject about, const moment& now) const {
  letter made;
  made.matter = of.id();
  made.number = of.told();
  made.about = about;
  made.at = of.is_over() ? stage::ended : of.told() <= 1 ? stage::begun : stage::changed;
  made.began = of.began().wall;
  made.written = now.wall;
  made.acknowledged = of.acknowledged();
  made.level = of.level();
  made.reminds = of.reminds();
  made.live = live_.slot;
  made.release = live_.release;
  made.link = how_.link;
  return made;
}

letter desk::on_incident(const moment& now) const {
  letter made = letter_on(*incident_, subject::incident, now);
  const bool is_over = incident_->is_over();
  if (happened_.empty()) {  // the record of it was lost in a restart
    made.title = is_over ? "over; what became of it is on no record" : "not over; what happened is on no record";
    made.type = "`flipback status`";
    return made;
  }
  const incident::report seen = incident::report_of(happened_);
  made.severity = is_over && made.number > 1 ? severity::info : severity::critical;
  made.began = seen.began;
  const std::string breach = as_breach(seen.says);
  const bool is_decided = seen.steps.size() > 0 || is_over;
  made.title = is_over      ? fmt::format("over after {}: {}{}{}", lasted(made), seen.outcome, breach.empty() ? "" : "; ", breach)
               : is_decided ? fmt::format("{}: {}", seen.outcome, breach)
                            : breach;
  made.stands = seen.stands;
  if (!is_decided && !live_.slot.empty()) {
    const std::string is_live = fmt::format("{} is live", deployment::with_release(live_.slot, live_.release));
    made.stands = seen.stands.empty() ? is_live : fmt::format("{}; {}", is_live, seen.stands);
  }
  for (const std::string& rule : seen.rules) made.ill.push_back(fmt::format("{} is breached, too", rule));
  for (const auto& [rule, is] : breached_) made.ill.push_back(as_breach(is.says));
  for (const auto& [probe, says] : failing_) made.ill.push_back(says);
  for (const std::string& says : seen.ill) {
    if (std::ranges::find(made.ill, says) == made.ill.end()) made.ill.push_back(says);
  }
  if (made.ill.size() > most_ill) {
    const std::size_t more = made.ill.size() - most_ill;
    made.ill.resize(most_ill);
    made.ill.push_back(fmt::format("and {} more: `flipback status --json`", more));
  }
  made.type = fmt::format("{}: {}", seen.next.type, seen.next.so_that);
  if (!is_over && made.acknowledged.empty()) made.type += "; `flipback ack --reason TEXT` says that you have it";
  made.news = newest_of(happened_);
  if (is_over) made.outcome = seen.outcome;
  return made;
}

letter desk::on_alerts(const moment& now) const {
  letter made = letter_on(*alerts_, subject::alerts, now);
  const auto bad = [](const auto& one) { return one.second.severity == severity::critical; };
  made.severity = std::ranges::any_of(breached_, bad) ? severity::critical : severity::warning;
  made.news = newest_of(alerted_);
  if (breached_.empty()) {
    made.severity = severity::info;
    made.title = alerts_->is_over() ? fmt::format("over after {}: no rule is breached any more", lasted(made)) : "no rule is breached now";
    if (alerts_->is_over()) made.outcome = "over";
  } else if (breached_.size() == 1) {
    made.title = as_breach(breached_.begin()->second.says);
    made.type = fmt::format("`flipback explain {}`", breached_.begin()->first);
  } else {
    made.title = fmt::format("{} rules are breached: {}", breached_.size(), fmt::join(breached_ | std::views::keys, ", "));
    for (const auto& [rule, is] : breached_) made.ill.push_back(as_breach(is.says));
    made.type = "`flipback status`";
  }
  return made;
}

letter desk::at_once(subject about, const event& e, const moment& now) {
  letter made;
  made.matter = fmt::format("{}-{}-{}", name_of(about), compact_time(now.wall), ++at_once_);
  made.about = about;
  made.at = stage::begun;
  made.severity = e.severity;
  made.began = now.wall;
  made.written = now.wall;
  made.title = e.says;
  made.live = live_.slot;
  made.release = live_.release;
  made.link = how_.link;
  if (about == subject::notice) made.type = "`flipback status`";
  return made;
}

}  // namespace flipback::notify
