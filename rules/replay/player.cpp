#include "rules/replay/player.hpp"

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
  cover();
}

void player::cover() {
  covered_ += std::min(now_ - began_, duration::max() - covered_);
}

wall_time player::wall(instant at) const {
  return wall_ + std::chrono::duration_cast<wall_time::duration>(at - began_);
}

/// Another process has another monotonic clock, maybe, and knows nothing: all begins anew.
void player::take(const beginning& e, const teller& tell) {
  if (engine_ && !e.continues) end(tell);
  if (engine_ && e.continues) settle(now_, tell);
  if (e.continues) cover();
  signals_ = {};
  names_.clear();
  ready_ = false;
  continues_ = e.continues && engine_;
  now_ = began_ = e.at;
  wall_ = e.wall;
}

void player::take(const declared& e, const teller&) {
  signals_.add(e.is);
  names_.insert_or_assign(e.series, e.is.samples);
}

void player::take(const sampled& e, const teller& tell) {
  make_ready();
  ++samples_;
  const auto route = routes_.find(e.series);
  if (e.is.at > now_) go_to(e.is.at, tell);
  if (route != routes_.end() && route->second) engine_->add(*route->second, e.is);
}

void player::take(const cut_over& e, const teller& tell) {
  make_ready();
  go_to(e.at, tell);
  engine_->cutover(e.at);
}

void player::take(const window_changed& e, const teller& tell) {
  make_ready();
  go_to(e.at, tell);
  engine_->window(e.open);
  window_open_ = e.open;
}

void player::take(const unwatched& e, const teller& tell) {
  make_ready();
  go_to(e.from, tell);  // what was due in between was not looked at either
  now_ = std::max(now_, e.to);
  engine_->unwatched(e.from, e.to);
}

/// Signals come first; with the first thing that is no signal all of them are known.
void player::make_ready() {
  if (std::exchange(ready_, true)) return;
  const bool has_deployment = signals_.find("stable.up") != nullptr;
  engine made(compile(with_built_ins(own_, signals_, has_deployment).on, signals_, *problems_));
  if (continues_) made.adopt(std::move(*engine_));
  engine_ = std::move(made);
  routes_.clear();
  for (const auto& [series, name] : names_) routes_[series] = engine_->series_named(name);
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
