#include "rules/series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flipback::rules {

namespace {

bool is_usable(const measured& value) {
  if (const auto* number = std::get_if<double>(&value)) return std::isfinite(*number);
  if (const auto* ratio = std::get_if<pooled>(&value)) return std::isfinite(ratio->numerator) && std::isfinite(ratio->denominator);
  if (const auto* counted = std::get_if<std::shared_ptr<const histogram>>(&value)) return *counted != nullptr;
  return std::get<std::shared_ptr<const sketch>>(value) != nullptr;
}

}  // namespace

std::size_t series::window(duration length, bool since_cutover) {
  const auto known = std::ranges::find_if(windows_, [&](const span& w) { return w.length == length && w.since_cutover == since_cutover; });
  if (known != windows_.end()) return static_cast<std::size_t>(known - windows_.begin());
  windows_.push_back({length, since_cutover, dropped_, {}, {}, {}, 0});
  return windows_.size() - 1;
}

std::size_t series::remember(duration length, function how, double quantile) {
  const memory wanted{length, how, quantile, std::nullopt};
  const auto known = std::ranges::find_if(memories_, [&](const memory& m) { return m.is_of(wanted); });
  if (known != memories_.end()) return static_cast<std::size_t>(known - memories_.begin());
  if (length > duration{}) window(length, false);  // keeps what it needs
  memories_.push_back(wanted);
  return memories_.size() - 1;
}

/// What a reading was at an instant that has passed: samples may have come since.
std::optional<double> series::read_at(const memory& m, instant at) const {
  series then(kind_, stale_);
  const bool windowed = m.length > duration{};
  const std::size_t over = windowed ? then.window(m.length, false) : 0;
  for (const kept& k : samples_) {
    if (k.at <= at) then.add({k.from, k.at, k.value, false});
  }
  then.advance(at);
  if (then.samples_.empty()) return std::nullopt;
  return windowed ? then.read(over, m.how, m.quantile, at) : then.newest(false, at);
}

void series::add(const sample& s) {
  kept k{s.from, s.at, s.value};
  if (k.value && !is_usable(*k.value)) k.value.reset();
  if (k.value && !s.quiet) fresh_ = s.at;
  for (span& w : windows_) pool(w, k, true);
  samples_.push_back(std::move(k));
}

void series::pool(span& w, const kept& k, bool in) const {
  if (!counts(w, k)) return;
  w.values += in ? 1 : static_cast<std::uint64_t>(-1);
  if (const auto* ratio = std::get_if<pooled>(&*k.value)) {
    const double sign = in ? 1 : -1;
    w.sums.numerator += sign * ratio->numerator;
    w.sums.denominator += sign * ratio->denominator;
  } else if (const auto* part = std::get_if<std::shared_ptr<const sketch>>(&*k.value)) {
    if (in)
      w.distribution.merge(**part);
    else
      w.distribution.remove(**part);
  } else if (const auto* counted = std::get_if<std::shared_ptr<const histogram>>(&*k.value)) {
    if (in)
      w.buckets.merge(**counted);
    else
      w.buckets.remove(**counted);
  }
}

void series::cutover(instant at) {
  for (memory& m : memories_) m.value = read_at(m, at);
  only_since(at);
}

void series::only_since(instant since) {
  cutover_ = since;
  for (span& w : windows_) {
    if (!w.since_cutover) continue;
    w.sums = {};
    w.distribution.clear();
    w.buckets.clear();
    w.values = 0;
    w.first = dropped_;
    for (const kept& k : samples_) pool(w, k, true);
  }
}

void series::adopt(const series& before) {
  if (before.kind_ != kind_) return;
  samples_ = before.samples_;
  dropped_ = 0;
  fresh_ = before.fresh_;
  cutover_ = before.cutover_;
  for (memory& mine : memories_) {
    const auto known = std::ranges::find_if(before.memories_, [&](const memory& m) { return m.is_of(mine); });
    mine.value = known != before.memories_.end() ? known->value : std::nullopt;
  }
  for (span& w : windows_) {
    w = {w.length, w.since_cutover, 0, {}, {}, {}, 0};
    for (const kept& k : samples_) pool(w, k, true);
  }
}

void series::advance(instant now) {
  std::uint64_t oldest = dropped_ + samples_.size();
  if (oldest > dropped_) --oldest;  // the newest stays for plain readings
  for (span& w : windows_) {
    while (w.first < dropped_ + samples_.size() && samples_[w.first - dropped_].at <= now - w.length) {
      pool(w, samples_[w.first - dropped_], false);
      ++w.first;
    }
    oldest = std::min(oldest, w.first);
  }
  // Erasing at the front moves the rest: not worth it for a few.
  const auto gone = static_cast<std::ptrdiff_t>(oldest - dropped_);
  if (gone == 0 || (gone < 64 && static_cast<std::size_t>(gone) * 2 < samples_.size())) return;
  samples_.erase(samples_.begin(), samples_.begin() + gone);
  dropped_ = oldest;
}

bool series::is_stale(instant now) const {
  return fresh_ == instant::min() || now - fresh_ > stale_;
}

std::optional<instant> series::stale_at(instant now) const {
  if (is_stale(now)) return std::nullopt;
  return fresh_ + stale_ + duration(1);
}

std::optional<double> series::newest(bool since_cutover, instant now) const {
  if (is_stale(now) || samples_.empty() || !samples_.back().value) return std::nullopt;
  if (since_cutover && samples_.back().from < cutover_) return std::nullopt;
  const auto* number = std::get_if<double>(&*samples_.back().value);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::optional<double> series::read(std::size_t window, function how, double quantile, instant now) const {
  const span& w = windows_[window];
  if (how == function::count) return filled(window).samples;
  if (is_stale(now) || samples_.empty() || !samples_.back().value) return std::nullopt;
  switch (kind_) {
    case signal_kind::ratio:
      if (w.sums.denominator <= 0) return std::nullopt;
      return w.sums.numerator / w.sums.denominator;
    case signal_kind::distribution:
      return quantile_of(w, quantile);
    case signal_kind::counter: {
      const auto grown = increase(w);
      if (!grown || how == function::increase) return grown;
      return *grown / to_seconds(w.length);
    }
    case signal_kind::gauge:
    case signal_kind::outcome:
      return fold(w, how);
  }
  return std::nullopt;
}

std::optional<double> series::quantile_of(const span& w, double quantile) {
  if (w.distribution.count() > 0) return w.distribution.quantile(quantile);
  if (!w.buckets.is_uniform()) return std::nullopt;
  const double value = w.buckets.quantile(quantile);
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::optional<double> series::fold(const span& w, function how) const {
  double sum = 0;
  double least = std::numeric_limits<double>::infinity();
  double most = -least;
  std::size_t count = 0;
  for (auto n = w.first - dropped_; n < samples_.size(); ++n) {
    if (!counts(w, samples_[n])) continue;
    const double value = std::get<double>(*samples_[n].value);
    sum += value;
    least = std::min(least, value);
    most = std::max(most, value);
    ++count;
  }
  if (count == 0) return std::nullopt;
  if (how == function::min) return least;
  if (how == function::max) return most;
  return sum / static_cast<double>(count);
}

std::optional<double> series::increase(const span& w) const {
  std::optional<double> before;
  double grown = 0;
  std::size_t count = 0;
  for (auto n = w.first - dropped_; n < samples_.size(); ++n) {
    if (!counts(w, samples_[n])) continue;
    const double value = std::get<double>(*samples_[n].value);
    // A counter that fell was reset: what it shows now has come since (Prometheus, promql/functions.go).
    if (before) grown += value < *before ? value : value - *before;
    before = value;
    ++count;
  }
  if (count < 2) return std::nullopt;
  return grown;
}

fill series::filled(std::size_t window) const {
  const span& w = windows_[window];
  switch (kind_) {
    case signal_kind::ratio:
      return {w.sums.denominator, w.sums.numerator};
    case signal_kind::distribution:
      return {static_cast<double>(w.distribution.count()) + w.buckets.count(), 0};
    default:
      return {static_cast<double>(w.values), 0};
  }
}

}  // namespace flipback::rules
