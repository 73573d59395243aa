#include "agent/incident/book.hpp"

#include "flipback/compact_time.hpp"

#include "agent/incident/helped.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::incident {

namespace {

bool begins_one(const event& e) {
  if (e.kind == "rollback.decided" || e.kind == "rollback.recovered") return true;
  const std::string to = text_of(e, "to");
  return is_of_a_rollback_rule(e) && (to == "pending" || to == "breached");
}

/// Null: the event has no such field, or it is of another kind.
template <typename T>
const T* value_of(const event& e, std::string_view field) {
  const auto found = std::ranges::find(e.fields, field, [](const auto& f) -> std::string_view { return f.first; });
  return found == e.fields.end() ? nullptr : std::get_if<T>(&found->second);
}

}  // namespace

bool is_of_a_rollback_rule(const event& e) {
  return e.kind == "verdict.changed" && text_of(e, "then") == "rollback";
}

bool is_a_breach(const event& e) {
  return is_of_a_rollback_rule(e) && text_of(e, "to") == "breached";
}

bool is_a_stance(const event& e) {
  constexpr std::array<std::string_view, 4> stances{"rollback.waiting", "rollback.blocked", "rollback.asked", "rollback.withheld"};
  return std::ranges::find(stances, e.kind) != stances.end();
}

std::string text_of(const event& e, std::string_view field) {
  const auto* const text = value_of<std::string>(e, field);
  return text == nullptr ? std::string() : *text;
}

std::optional<double> number_in(const event& e, std::string_view field) {
  const auto* const number = value_of<double>(e, field);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

bool is_operation(std::string_view kind) {
  constexpr std::array<std::string_view, 4> others{"agent.ready", "agent.stopping", "config.reloaded", "config.rejected"};
  constexpr std::array<std::string_view, 4> rooms{"deployment.", "rollback.", "flip.", "incident."};
  return std::ranges::find(others, kind) != others.end() || std::ranges::any_of(rooms, [&](auto room) { return kind.starts_with(room); });
}

std::vector<event> book::take(event e, wall_time at) {
  // What says itself of which incident it is, if of any, may be of one that is over.
  if (e.kind.starts_with("notify.") || !text_of(e, "incident").empty()) return {std::move(e)};
  std::vector<event> told;
  if (!now_ && begins_one(e)) {
    now_ = ongoing{.id = compact_time(at), .began = at};
    told.push_back(began(e, at));
  }
  note_cutover(e, at);
  if (!now_) return {std::move(e)};
  see(e);
  told.push_back(std::move(e));
  const bool over = is_over();
  if (over) told.push_back(ended(at));
  for (event& each : told) each.with("incident", now_->id);
  if (over) now_.reset();
  return told;
}

void book::note_cutover(const event& e, wall_time at) {
  if (e.kind == "deployment.cutover") cutover_ = {text_of(e, "live"), text_of(e, "release"), at};
  const bool is_an_end = e.kind == "rollback.closed" || e.kind == "rollback.recovered";
  if (is_an_end && led_back(text_of(e, "outcome"))) cutover_.reset();
}

void book::recall(const event& e, wall_time at) {
  if (const std::string id = text_of(e, "incident"); !now_ || now_->id != id) now_ = ongoing{.id = id, .began = at};
  see(e);
  if (e.kind == "incident.ended") now_.reset();
}

std::vector<event> book::settle(const std::set<std::string>& rules, bool rolling, wall_time at) {
  if (!now_) return {};
  const auto is_gone = [&](const std::string& rule) { return !rules.contains(rule); };
  std::erase_if(now_->rules, is_gone);
  std::erase_if(now_->untold, is_gone);
  if (now_->rolling && !rolling) now_->outcome = "what became of its rollback is not on record";
  now_->rolling = rolling;
  if (!is_over()) return {};
  std::vector<event> told{ended(at)};
  told.front().with("incident", now_->id);
  now_.reset();
  return told;
}

void book::see(const event& e) {
  ongoing& o = *now_;
  if (is_of_a_rollback_rule(e)) {
    const std::string rule = text_of(e, "rule");
    const std::string to = text_of(e, "to");
    o.rules.erase(rule);
    o.untold.erase(rule);
    if (to == "pending" || to == "breached") o.rules.insert(rule);
    if (to == "unknown" && !o.moved_on) o.untold.insert(rule);
    o.breached = o.breached || to == "breached";
  } else if (e.kind == "rollback.decided") {
    o.rolling = true;
    o.breached = true;
  } else if (e.kind == "rollback.closed" || e.kind == "rollback.recovered") {
    o.rolling = false;
    o.breached = true;
    o.outcome = text_of(e, "outcome");
  } else if (is_a_stance(e)) {
    o.stance = e.kind;
    o.guard = text_of(e, "guard");
  }
  if (e.kind == "deployment.cutover" && o.outcome.empty()) o.outcome = "another release was put live by hand";
  const bool is_another_release = e.kind == "deployment.cutover" || led_back(o.outcome);
  if (!is_another_release) return;
  o.moved_on = true;
  o.untold.clear();
}

bool book::is_over() const {
  return !now_->rolling && now_->rules.empty() && now_->untold.empty();
}

event book::began(const event& by, wall_time at) const {
  event e{"incident.began", severity::info, fmt::format("incident {}: {}", now_->id, by.says), {}};
  e.with("rule", text_of(by, "rule"));
  if (!cutover_ || at < cutover_->at) return e;
  const double ago = to_seconds(std::chrono::duration_cast<duration>(at - cutover_->at));
  return e.with("live", cutover_->slot).with("release", cutover_->release).with("cutover_ago", ago);
}

event book::ended(wall_time at) const {
  const ongoing& o = *now_;
  const std::string became =
      !o.outcome.empty() ? o.outcome
      : !o.breached      ? "over before it was a breach"
      : o.stance.empty() ? "over by itself"
                         : fmt::format("over by itself; nothing was done ({}: {})", o.stance.substr(o.stance.find('.') + 1), o.guard);
  const duration lasted = std::chrono::duration_cast<duration>(at - o.began);
  event e{"incident.ended",
          severity::info,
          fmt::format("incident {} is over after {}: {}", o.id, format_duration(std::chrono::floor<std::chrono::seconds>(lasted)), became),
          {}};
  return e.with("outcome", became).with("breached", o.breached).with("seconds", to_seconds(lasted));
}

}  // namespace flipback::incident
