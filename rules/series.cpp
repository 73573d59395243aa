#include "rules/series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flipback::rules {

namespace {

/// A probe's runs are never quite a second apart.
constexpr duration unevenness = std::chrono::milliseconds(50);

bool is_usable(const measured& value) {
  if (const auto* number = std::get_if<double>(&value)) return std::isfinite(*number);
  if (const auto* ratio = std::get_if<pooled>(&value)) return std::isfinite(ratio->numerator) && std::isfinite(ratio->denominator);
  if (const auto* counted = std::get_if<std::shared_ptr<const histogram>>(&value)) return *counted != nullptr;
  if (const auto* each = std::get_if<std::shared_ptr<const ratios>>(&value)) return *each != nullptr;
  return std::get<std::shared_ptr<const sketch>>(value) != nullptr;
}

}  // namespace

std::size_t series::window(duration length, start from) {
  const auto known = std::ranges::find_if(windows_, [&](const span& w) { return w.length == length && w.from == from; });
  if (known != windows_.end()) return static_cast<std::size_t>(known - windows_.begin());
  windows_.push_back({length, from, dropped_, {}, {}, {}, 0});
  return windows_.size() - 1;
}

std::size_t series::remember(duration length, function how, double quantile) {
  const memory wanted{length, how, quantile, std::nullopt};
  const auto known = std::ranges::find_if(memories_, [&](const memory& m) { return m.is_of(wanted); });
  if (known != memories_.end()) return static_cast<std::size_t>(known - memories_.begin());
  if (length > duration{}) window(length, start::kept);  // keeps what it needs
  memories_.push_back(wanted);
  return memories_.size() - 1;
}

/// What a reading was at an instant that has passed: samples may have come since.
std::optional<double> series::read_at(const memory& m, instant at) const {
  series then(kind_, stale_);
  const bool windowed = m.length > duration{};
  const std::size_t over = windowed ? then.window(m.length, start::kept) : 0;
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
  if (k.from >= cutover_) anew_ = std::min(anew_, k.from);
  for (span& w : windows_) pool(w, k, true);
  samples_.push_back(std::move(k));
}

void series::pool(span& w, const kept& k, bool in) const {
  if (!counts_in(w, k)) return;
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

void series::cutover(instant at, bool forgive, bool recalled) {
  // What a release that was rolled back did is nothing to go by: what was before it is what is live again.
  if (!forgive)
    for (memory& m : memories_) m.value = read_at(m, at);
  if (forgive && was_cut_over()) forgiven_.push_back({cutover_, at});
  std::erase_if(forgiven_, [&](const stretch& s) { return s.to < at - counts_before::longest; });
  before_ = looks_back_ && kind_ == signal_kind::ratio ? count_before(at) : nullptr;
  each_before_ = looks_back_ && kind_ == signal_kind::ratios ? count_each_before(at) : nullptr;
  only_since(of_live_ && !recalled ? std::max(at, newest_at()) : at);
}

void series::only_since(instant since) {
  cutover_ = since;
  anew_ = instant::max();
  for (const kept& k : samples_) {
    if (k.from >= cutover_) anew_ = std::min(anew_, k.from);
  }
  for (span& w : windows_) {
    if (w.from == start::kept) continue;
    w = {w.length, w.from, dropped_, {}, {}, {}, 0, w.since};
    for (const kept& k : samples_) pool(w, k, true);
  }
}

void series::adopt(const series& before) {
  if (before.kind_ != kind_) return;
  samples_ = before.samples_;
  dropped_ = 0;
  fresh_ = before.fresh_;
  cutover_ = before.cutover_;
  anew_ = before.anew_;
  forgiven_ = before.forgiven_;
  before_ = before.before_;
  each_before_ = before.each_before_;
  for (memory& mine : memories_) {
    const auto known = std::ranges::find_if(before.memories_, [&](const memory& m) { return m.is_of(mine); });
    mine.value = known != before.memories_.end() ? known->value : std::nullopt;
  }
  for (span& w : windows_) {
    const auto known = std::ranges::find_if(before.windows_, [&](const span& b) { return b.length == w.length && b.from == w.from; });
    const bool is_new = known == before.windows_.end();
    const instant oldest = samples_.empty() ? instant::min() : samples_.front().from;
    w = {w.length, w.from, 0, {}, {}, {}, 0, is_new ? oldest : known->since, is_new ? std::nullopt : known->last_out};
    for (const kept& k : samples_) pool(w, k, true);
  }
}

/// A sample that has just come is judged at its own time: a replay, which has the samples' times alone, sees the same.
instant series::end_of_windows(instant now) const {
  return !samples_.empty() && newest_at() <= now && now - newest_at() <= unevenness ? newest_at() : now;
}

void series::advance(instant now) {
  const instant end = end_of_windows(now);
  std::uint64_t oldest = dropped_ + samples_.size();
  if (oldest > dropped_) --oldest;  // the newest stays for plain readings
  for (span& w : windows_) {
    while (w.first < dropped_ + samples_.size() && samples_[w.first - dropped_].at <= end - w.length) {
      const kept& out = samples_[w.first - dropped_];
      pool(w, out, false);
      if (kind_ == signal_kind::counter && counts_in(w, out)) w.last_out = std::get<double>(*out.value);
      ++w.first;
    }
    oldest = std::min(oldest, w.first);
  }
  if (looks_back_) oldest = std::min(oldest, first_after(now - counts_before::longest));
  // Erasing at the front moves the rest: not worth it for a few.
  const auto gone = static_cast<std::ptrdiff_t>(oldest - dropped_);
  if (gone == 0 || (gone < 64 && static_cast<std::size_t>(gone) * 2 < samples_.size())) return;
  samples_.erase(samples_.begin(), samples_.begin() + gone);
  dropped_ = oldest;
}

/// The number of the oldest sample that was taken after that.
std::uint64_t series::first_after(instant at) const {
  return dropped_ + static_cast<std::uint64_t>(std::ranges::upper_bound(samples_, at, {}, &kept::at) - samples_.begin());
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
  if (samples_.empty() || !samples_.back().value || fills_in(window, now) > duration{}) return std::nullopt;
  // That nothing came is known while somebody watches.
  if (how == function::count) return now - newest_at() > stale_ ? std::nullopt : std::optional(filled(window).samples);
  if (is_stale(now)) return std::nullopt;
  switch (kind_) {
    case signal_kind::ratio:
      if (how == function::sum) return w.sums.numerator;
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
    case signal_kind::ratios:
      return std::nullopt;  // no number says how several are
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
  each_inside(w, [&](const kept& k) {
    const double value = std::get<double>(*k.value);
    sum += value;
    least = std::min(least, value);
    most = std::max(most, value);
    ++count;
  });
  if (count == 0) return std::nullopt;
  if (how == function::min) return least;
  if (how == function::max) return most;
  if (how == function::sum) return sum;
  return sum / static_cast<double>(count);
}

std::optional<double> series::increase(const span& w) const {
  std::optional<double> before = w.last_out;
  double grown = 0;
  std::size_t growths = 0;
  each_inside(w, [&](const kept& k) {
    const double value = std::get<double>(*k.value);
    // A counter that fell was reset: what it shows now has come since (Prometheus, promql/functions.go).
    if (before) {
      grown += value < *before ? value : value - *before;
      ++growths;
    }
    before = value;
  });
  if (growths == 0) return std::nullopt;
  return grown;
}

duration series::fills_in(std::size_t window, instant now) const {
  const span& w = windows_[window];
  if (w.from != start::full) return {};
  if (anew_ == instant::max()) return w.length;
  // Up to the newest sample: a replay, which has the samples' times alone, sees the same.
  const duration missing = w.length - (std::min(now, newest_at()) - std::max(anew_, w.since));
  return missing > unevenness ? missing : duration{};
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
