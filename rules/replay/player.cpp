#include "rules/replay/player.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::rules::replay {

player::player(std::vector<rule_source> own, settings::diagnostics& problems) : own_(std::move(own)), problems_(&problems) {}

void player::take(const entry& e, const teller& tell) {
  std::visit([&](const auto& each) { take(each, tell); }, e);
}

void player::end(const teller& tell) {
  if (!engine_) return;
  settle(now_, tell);
  covered_ += std::min(now_ - began_, duration::max() - covered_);
}

wall_time player::wall(instant at) const {
  return wall_ + std::chrono::duration_cast<wall_time::duration>(at - began_);
}

/// Another process has another monotonic clock, maybe, and knows nothing: all begins anew.
void player::take(const beginning& e, const teller& tell) {
  end(tell);
  signals_ = {};
  routes_.clear();
  if (!e.continues) {
    newest_.clear();
    window_open_ = false;
    closed_.reset();
    held_.clear();
    blocked_.clear();
  }
  ready_ = false;
  continues_ = e.continues && engine_;
  now_ = began_ = e.at;
  wall_ = e.wall;
}

void player::take(const declared& e, const teller&) {
  signals_.add(e.is);
  instant& newest = newest_.try_emplace(e.is.samples, instant::min()).first->second;
  routes_.insert_or_assign(e.series, route{e.is.samples, std::nullopt, &newest});
}

void player::take(const sampled& e, const teller& tell) {
  make_ready();
  const auto to = routes_.find(e.series);
  if (to == routes_.end() || e.is.at <= *to->second.newest) return;  // a log's past is told again after a reload
  *to->second.newest = e.is.at;
  ++samples_;
  if (e.is.at > now_) go_to(e.is.at, tell);
  if (to->second.series) engine_->add(*to->second.series, e.is);
}

void player::take(const cut_over& e, const teller& tell) {
  make_ready();
  go_to(e.at, tell);
  engine_->cutover(e.at, e.forgive, e.recalled);
  if (e.recalled) return;  // the epoch goes on
  rolled_back_.clear();
  blocked_.clear();
}

void player::take(const window_changed& e, const teller& tell) {
  make_ready();
  go_to(e.at, tell);
  engine_->window(e.open);
  if (std::exchange(window_open_, e.open) && !e.open) closed_ = e.at;
}

void player::take(const unwatched& e, const teller& tell) {
  make_ready();
  go_to(e.from, tell);  // what was due in between was not looked at either
  now_ = std::max(now_, e.to);
  engine_->unwatched(e.from, e.to);
}

void player::take(const hold_changed& e, const teller& tell) {
  make_ready();
  go_to(e.at, tell);
  held_ = e.says;
  if (held_.empty()) free();
}

void player::take(const unlatched& e, const teller& tell) {
  make_ready();
  go_to(e.at, tell);
  rolled_back_.clear();
  free();
}

/// In the step of the cutover that was recalled: nothing is judged in between.
void player::take(const resumed& e, const teller& /*tell*/) {
  make_ready();
  engine_->resume(e.what);
}

void player::free() {
  for (const auto& [rule, condition] : std::exchange(blocked_, {})) {
    if (!window_open_) continue;  // what is free after the window only tells
    const auto now = decide(rule, condition);
    if (now && now->is != decision::kind::blocked && on_freed) on_freed(rule, *now);
  }
}

std::optional<decision> player::decide(std::size_t rule, instant condition) {
  using kind = decision::kind;
  const auto blocked = [&](std::string why) {
    blocked_[rule] = condition;
    return decision{kind::blocked, std::move(why)};
  };
  if (rules()[rule].from.then != consequence::rollback || engine_->verdict_of(rule) != verdict::breached) return std::nullopt;
  if (!began_in_window(condition)) return decision{kind::tells, "no rollback window is open"};
  if (!rolled_back_.empty()) return blocked(fmt::format("{} already", rolled_back_));
  if (!held_.empty()) return blocked(held_);
  auto [act, why] = would_act(rule);
  if (act == acting::asks) return decision{kind::asks, std::move(why)};
  if (act != acting::yes) return decision{kind::withheld, std::move(why)};
  rolled_back_ = fmt::format("{} rolled this release back at {:%H:%M:%S} UTC", rules()[rule].from.name,
                             std::chrono::floor<std::chrono::seconds>(wall(now_)));
  return decision{kind::rolls_back};
}

/// Signals come first; with the first thing that is no signal all of them are known.
void player::make_ready() {
  if (std::exchange(ready_, true)) return;
  const bool has_deployment = signals_.find("stable.up") != nullptr;
  engine made(compile(with_built_ins(own_, signals_, has_deployment).on, signals_, *problems_));
  if (continues_) made.adopt(std::move(*engine_));
  engine_ = std::move(made);
  for (auto& [number, to] : routes_) to.series = engine_->series_named(to.samples);
}

/// Judges what came so far, and whatever is due until then.
void player::go_to(instant at, const teller& tell) {
  settle(now_, tell);
  for (auto due = engine_->due(); due && *due < at; due = engine_->due()) settle(*due, tell);
  now_ = std::max(now_, at);
}

void player::settle(instant at, const teller& tell) {
  now_ = std::max(now_, at);
  for (const change& c : engine_->settle(now_)) tell(c);
}

}  // namespace flipback::rules::replay
