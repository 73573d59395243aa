#include "agent/incident/helped.hpp"

#include "rules/chance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace flipback::incident {

namespace {

double share(const pooled& of) {
  return of.denominator > 0 ? of.numerator / of.denominator : 0;
}

pooled whole(const pooled& of) {
  return {std::round(of.numerator), std::round(of.denominator)};
}

/// Failed requests, or slow ones, before a rollback and after it.
struct pair {
  pair(const pooled& was, const pooled& is) : before(whole(was)), after(whole(is)) {}

  [[nodiscard]] bool hurt() const { return is_surely_above_limit(before); }
  [[nodiscard]] bool hurts() const { return is_surely_above_limit(after); }
  /// At most half of what it was, and beyond chance.
  [[nodiscard]] bool fell() const {
    return share(after) <= share(before) / 2 &&
           rules::fisher_tail(before.numerator, before.denominator, after.numerator, after.denominator) < helped::by_chance;
  }

  pooled before, after;

 private:
  static bool is_surely_above_limit(const pooled& of) {
    return share(of) > helped::limit && rules::binomial_tail(of.numerator, of.denominator, helped::limit) < helped::by_chance;
  }
};

/// The figures of one of the two, for programs.
void add_figures(event& to, const std::string& when, const users_met& of) {
  to.with("requests_" + when, of.errors.denominator).with("errors_" + when, of.errors.numerator).with("slow_" + when, of.slow.numerator);
  if (of.p95) to.with("p95_" + when, *of.p95);
}

}  // namespace

std::string as_text(const users_met& u) {
  if (u.errors.denominator <= 0 && u.slow.denominator <= 0) return "no request was seen";
  const double requests = std::max(u.errors.denominator, u.slow.denominator);
  std::string text = fmt::format("{} of {} requests failed", format_ratio(share(u.errors)), std::llround(requests));
  if (u.p95) text += fmt::format(", P95 {}", format_value(std::round(*u.p95 * 1000) / 1000, unit::seconds));
  return text;
}

bool is_told_late(const event& e) {
  return e.kind == "deployment.helped";
}

bool led_back(const std::string& outcome) {
  return outcome == "rolled back" || outcome == "unproven";
}

void helped::decided(const std::string& incident, const users_met& before, duration of) {
  *this = {};
  incident_ = incident;
  before_ = before;
  before_of_ = of;
}

void helped::closed(const std::string& outcome, instant now) {
  if (led_back(outcome))
    ended_ = now;
  else
    *this = {};  // users are where they were
}

void helped::interrupted(const std::string& incident) {
  incident_ = incident;
  ended_ = instant{};
  cut_off_ = "the agent was started anew meanwhile";
}

void helped::cutover() {
  if (ended_ && cut_off_.empty()) cut_off_ = "another cutover was seen meanwhile";
}

std::optional<instant> helped::due() const {
  if (!ended_) return std::nullopt;
  return cut_off_.empty() ? *ended_ + measured_for : instant{};
}

std::optional<event> helped::tell(const users_met& after, const users_met& lately) {
  const helped was = std::exchange(*this, {});
  if (!was.ended_) return std::nullopt;
  const auto made = [&](std::string outcome, severity how, std::string says) {
    return event{"deployment.helped", how, std::move(says), {}}.with("outcome", std::move(outcome)).with("incident", was.incident_);
  };
  if (!was.cut_off_.empty())
    return made("can't tell", severity::info, fmt::format("can't tell whether the rollback helped: {}", was.cut_off_));
  const std::string figures = fmt::format("in the {} after it {}; in the {} before it {}", format_duration(measured_for), as_text(after),
                                          format_duration(std::chrono::ceil<std::chrono::seconds>(was.before_of_)), as_text(was.before_));
  const std::array both{pair(was.before_.errors, after.errors), pair(was.before_.slow, after.slow)};
  const auto still_hurts = [](const pair& p) { return p.hurts() && !(p.hurt() && p.fell()); };
  const auto is_mended = [](const pair& p) { return !p.hurt() || p.fell(); };
  event told;
  if (std::max(both[0].after.denominator, both[1].after.denominator) < least)
    told = made("can't tell", severity::info,
                fmt::format("can't tell whether the rollback helped, by fewer than {} requests: {}", least, figures));
  else if (std::max(lately.errors.denominator, lately.slow.denominator) <= 0)
    told = made("can't tell", severity::info,
                fmt::format("can't tell whether the rollback helped, since no request was seen in the last {} of it: {}",
                            format_duration(newest), figures));
  else if (std::ranges::any_of(both, still_hurts))
    told = made("did not help", severity::critical,
                fmt::format("the rollback did not help: {}; look for another cause than the release: `flipback status`", figures));
  else if (std::ranges::any_of(both, &pair::hurt) && std::ranges::all_of(both, is_mended))
    told = made("helped", severity::info, fmt::format("the rollback helped: {}", figures));
  else
    told = made("can't tell", severity::info, fmt::format("can't tell whether the rollback helped, by what users met with: {}", figures));
  add_figures(told, "before", was.before_);
  add_figures(told, "after", after);
  return told;
}

}  // namespace flipback::incident
