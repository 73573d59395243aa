#include "rules/verdict.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::rules {

std::string_view name_of(verdict v) {
  constexpr std::array<std::string_view, 4> names{"ok", "pending", "breached", "unknown"};
  return names.at(static_cast<std::size_t>(v));
}

void times_true::see(bool is_true, instant now) {
  std::erase_if(runs_, [&](const run& r) { return r.last < now - kept; });
  const bool goes_on = std::exchange(is_true_, is_true) && !runs_.empty();
  if (!is_true) return;
  if (goes_on)
    runs_.back().last = now;
  else
    runs_.push_back({now, now});
}

bool times_true::within(instant from, instant to) const {
  return std::ranges::any_of(runs_, [&](const run& r) { return r.first <= to && r.last > from; });
}

void verdict_state::see_true(const verdict_terms& terms, instant now) {
  if (true_since_ && unknown_since_) {
    const duration gap = now - *unknown_since_;
    bridged_ += gap;
    if (gap >= terms.gap || bridged_ > terms.lasting / 2) true_since_.reset();
  }
  unknown_since_.reset();
  if (!true_since_) {
    true_since_ = now;
    bridged_ = {};
  }
}

verdict verdict_state::step(const verdict_terms& terms, truth when, truth until, instant earliest, instant now) {
  if (current_ == verdict::breached) {
    const bool over = terms.has_until ? until == truth::yes && when != truth::yes : when == truth::no;
    if (!over) {
      unknown_since_ = when == truth::unknown ? std::optional(unknown_since_.value_or(now)) : std::nullopt;
      return current_;
    }
    true_since_.reset();
    unknown_since_.reset();
    if (terms.has_until) return current_ = verdict::ok;
  }
  switch (when) {
    case truth::yes:
      see_true(terms, now);
      current_ = now - *true_since_ >= terms.lasting && now >= earliest ? verdict::breached : verdict::pending;
      break;
    case truth::no:
      true_since_.reset();
      unknown_since_.reset();
      current_ = verdict::ok;
      break;
    case truth::unknown:
      if (!unknown_since_) unknown_since_ = now;
      if (true_since_ && now - *unknown_since_ >= terms.gap) true_since_.reset();
      current_ = verdict::unknown;
      break;
  }
  return current_;
}

void verdict_state::unwatched(const verdict_terms& terms, instant from, instant to) {
  if (current_ == verdict::breached) return;
  const bool is_gap = to - from >= terms.gap;
  if (is_gap) unknown_since_.reset();
  if (!true_since_) return;
  bridged_ += to - from;
  if (!is_gap && bridged_ <= terms.lasting / 2) return;
  true_since_.reset();
  if (current_ == verdict::pending) current_ = verdict::unknown;
}

void verdict_state::resume(instant since, instant seen, duration bridged) {
  *this = {};
  true_since_ = since;
  unknown_since_ = seen;
  bridged_ = bridged;
}

std::optional<instant> verdict_state::due(const verdict_terms& terms, instant earliest) const {
  if (current_ == verdict::pending) return std::max(*true_since_ + terms.lasting, earliest);
  if (current_ == verdict::unknown && true_since_) return *unknown_since_ + terms.gap;
  return std::nullopt;
}

}  // namespace flipback::rules
