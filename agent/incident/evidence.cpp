#include "agent/incident/evidence.hpp"

#include "flipback/unix_milliseconds.hpp"

#include "agent/incident/book.hpp"
#include "agent/incident/helped.hpp"
#include "agent/json_values.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace flipback::incident {

namespace json = boost::json;

namespace {

constexpr const char* rule_kind = "evidence.rule";
constexpr const char* users_kind = "evidence.users";

bool is_a_turn(const event& e) {
  constexpr std::array<std::string_view, 4> turns{"incident.began", "incident.ended", "rollback.decided", "rollback.closed"};
  return std::ranges::find(turns, e.kind) != turns.end() || is_a_breach(e);
}

wall_time back(wall_time from, duration by) {
  return from - std::chrono::duration_cast<wall_time::duration>(by);
}

/// "[[1700000000000,0.25],[1700000005000,null]]"
std::string as_text(const std::vector<traced>& points) {
  json::array all;
  for (const traced& p : points) all.push_back(json::array{p.at, number_or_null(p.value)});
  return json::serialize(all);
}

std::vector<traced> points_in(const std::string& text) {
  boost::system::error_code error;
  const json::value read = json::parse(text, error);
  std::vector<traced> points;
  if (error || !read.is_array()) return points;
  for (const json::value& one : read.get_array()) {
    const json::array* const pair = one.if_array();
    const std::int64_t* const at = pair != nullptr && pair->size() == 2 ? pair->at(0).if_int64() : nullptr;
    if (at == nullptr || *at < -latest_unix_milliseconds || *at > latest_unix_milliseconds) continue;
    const double* const value = pair->at(1).if_double();
    points.push_back({*at, value == nullptr ? std::nullopt : std::optional(*value)});
  }
  return points;
}

}  // namespace

bool evidence::take(const event& e, wall_time at) {
  const std::string id = text_of(e, "incident");
  if (is_told_late(e)) return !id.empty() && id == incident_;
  if (id.empty() || e.kind.starts_with("notify.")) return false;  // the latter is of letters, which may come long after the end
  if (id != incident_) *this = {};
  incident_ = id;
  if (e.kind == "incident.ended") ends_ = at;
  return is_a_turn(e);
}

bool evidence::is_due(wall_time at) const {
  if (incident_.empty()) return false;
  const bool was_set_back = told_until_ && at < *told_until_;  // the wall's clock
  return was_set_back || !told_until_ || back(at, piece) >= *told_until_ || (ends_ && back(at, after) >= *ends_);
}

bool evidence::is_behind(wall_time at) const {
  return !incident_.empty() && (!told_until_ || back(at, again) >= *told_until_);
}

std::vector<event> evidence::pieces(const traces& of, const std::optional<users_met>& met, wall_time at) {
  if (incident_.empty()) return {};
  const std::int64_t from = unix_milliseconds(std::min(told_until_.value_or(back(at, before)), at));
  std::vector<event> told;
  for (const auto& [rule, its] : of.rules()) {
    std::vector<traced> points;
    std::ranges::copy_if(its.points, std::back_inserter(points), [&](const traced& p) { return p.at > from; });
    if (points.empty()) continue;
    event e{rule_kind, severity::debug, fmt::format("{} values of {}", points.size(), rule), {}};
    e.with("rule", rule).with("unit", std::string(word_of(its.in))).with("points", as_text(points)).with("incident", incident_);
    if (its.threshold) e.with("threshold", *its.threshold);
    told.push_back(std::move(e));
  }
  if (met) {
    event users{users_kind, severity::debug, as_text(*met), {}};
    users.with("requests", met->errors.denominator).with("errors", met->errors.numerator).with("slow", met->slow.numerator);
    users.with("slow_of", met->slow.denominator).with("incident", incident_);
    if (met->p95) users.with("p95", *met->p95);
    told.push_back(std::move(users));
  }
  told_until_ = at;
  if (ends_ && back(at, after) >= *ends_) *this = {};
  return told;
}

bool is_evidence(const event& e) {
  return e.kind == rule_kind || e.kind == users_kind;
}

bool add_piece(std::vector<signal>& to, const event& e) {
  if (e.kind != rule_kind) return false;
  const std::string rule = text_of(e, "rule");
  auto its = std::ranges::find(to, rule, &signal::rule);
  if (its == to.end()) its = to.insert(to.end(), signal{rule, unit::number, {}, {}});
  its->in = unit_of(text_of(e, "unit"));
  if (const auto threshold = number_in(e, "threshold")) its->threshold = threshold;
  for (const traced& p : points_in(text_of(e, "points"))) {
    if (its->points.empty() || p.at > its->points.back().at) its->points.push_back(p);
  }
  return true;
}

std::optional<users_met> users_in(const event& e) {
  if (e.kind != users_kind) return std::nullopt;
  const auto number = [&](std::string_view field) { return number_in(e, field).value_or(0); };
  return users_met{{number("errors"), number("requests")}, {number("slow"), number("slow_of")}, number_in(e, "p95")};
}

}  // namespace flipback::incident
