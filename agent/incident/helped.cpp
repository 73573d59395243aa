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
  std::string text;
  if (u.errors.denominator > 0)
    text = fmt::format("{} of {} requests failed", format_ratio(share(u.errors)), std::llround(u.errors.denominator));
  if (share(u.slow) > helped::limit)
    text += fmt::format("{}{} of {} were slow", text.empty() ? "" : ", ", format_ratio(share(u.slow)), std::llround(u.slow.denominator));
  if (text.empty()) text = fmt::format("{} requests were seen", std::llround(u.slow.denominator));
  if (u.p95) text += fmt::format(", P95 {}", format_value(std::round(*u.p95 * 1000) / 1000, unit::seconds));
  return text;
}

bool is_told_late(const event& e) {
  return e.kind == "deployment.helped";
}

bool led_back(const std::string& outcome) {
  return outcome == "rolled back" || outcome == "unproven";
}

void helped::decided(const std::string& incident, const std::optional<users_met>& before, duration of) {
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

void helped::cut_off(const std::string& why) {
  if (ended_ && cut_off_.empty()) cut_off_ = why;
}

std::optional<instant> helped::due() const {
  if (!ended_) return std::nullopt;
  return cut_off_.empty() ? *ended_ + measured_for : instant{};
}

std::optional<event> helped::tell(const std::optional<users_met>& after, const std::optional<users_met>& lately) {
  const helped was = std::exchange(*this, {});
  if (!was.ended_) return std::nullopt;
  const auto made = [&](std::string outcome, severity how, std::string says) {
    return event{"deployment.helped", how, std::move(says), {}}.with("outcome", std::move(outcome)).with("incident", was.incident_);
  };
  const auto cant_tell = [&](const std::string& why) {
    return made("can't tell", severity::info, fmt::format("can't tell whether the rollback helped{}", why));
  };
  if (!was.cut_off_.empty()) return cant_tell(": " + was.cut_off_);
  if (!was.before_ || !after || !lately) return cant_tell(": no probe counts users' requests");
  const std::string figures = fmt::format("in the {} after it {}; in the {} before it {}", format_duration(measured_for), as_text(*after),
                                          format_duration(std::chrono::ceil<std::chrono::seconds>(was.before_of_)), as_text(*was.before_));
  const std::array both{pair(was.before_->errors, after->errors), pair(was.before_->slow, after->slow)};
  const bool hurts = std::ranges::any_of(both, &pair::hurts);
  const bool is_mended = std::ranges::any_of(both, [](const pair& p) { return p.hurt() && p.fell(); });
  event told;
  if (std::max(both[0].after.denominator, both[1].after.denominator) < least)
    told = cant_tell(fmt::format(", by fewer than {} requests: {}", least, figures));
  else if (std::max(lately->errors.denominator, lately->slow.denominator) <= 0)
    told = cant_tell(fmt::format(", since no request was seen in the last {} of it: {}", format_duration(newest), figures));
  else if (hurts && !is_mended)
    told = made("did not help", severity::critical,
                fmt::format("the rollback did not help: {}; look for another cause than the release: `flipback status`", figures));
  else if (hurts)
    told = made("helped", severity::warning,
                fmt::format("the rollback helped, but users are still hurt: {}; `flipback status` says by what", figures));
  else if (is_mended)
    told = made("helped", severity::info, fmt::format("the rollback helped: {}", figures));
  else
    told = cant_tell(fmt::format(", by what users met with: {}", figures));
  add_figures(told, "before", *was.before_);
  add_figures(told, "after", *after);
  return told;
}

}  // namespace flipback::incident
