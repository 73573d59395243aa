#include "rules/series.hpp"

#include <algorithm>

// What a ratio's counts are, where that they add up to is not enough: by fifths of a window, and before a cutover.

namespace flipback::rules {

/// Its number, from the oldest on.
std::size_t series::fifth_of(const span& w, const kept& k, instant end) {
  return 4 - static_cast<std::size_t>(std::clamp<std::int64_t>((end - k.at) * 5 / w.length, 0, 4));
}

fifths series::fifths_of(std::size_t window, instant now) const {
  const span& w = windows_[window];
  const instant end = end_of_windows(now);
  fifths counts{};
  each_inside(w, [&](const kept& k) {
    const auto& value = std::get<pooled>(*k.value);
    pooled& fifth = counts.at(fifth_of(w, k, end));
    fifth.numerator += value.numerator;
    fifth.denominator += value.denominator;
  });
  return counts;
}

fifths_by_key series::each_in_fifths(std::size_t window, instant now) const {
  const span& w = windows_[window];
  const instant end = end_of_windows(now);
  fifths_by_key counts;
  each_inside(w, [&](const kept& k) {
    for (const keyed_ratio& r : *std::get<std::shared_ptr<const ratios>>(*k.value)) {
      pooled& fifth = counts[*r.of][fifth_of(w, k, end)];
      fifth.numerator += r.numerator;
      fifth.denominator += r.denominator;
    }
  });
  return counts;
}

series::span series::pooled_between(instant from, instant to) const {
  span all{to - from, start::kept, dropped_, {}, {}, {}, 0};
  for (auto n = first_after(from) - dropped_; n < samples_.size() && samples_[n].at <= to; ++n) {
    if (samples_[n].from >= from) pool(all, samples_[n], true);
  }
  return all;
}

pooled series::counts_between(instant from, instant to) const {
  return pooled_between(from, to).sums;
}

std::optional<double> series::quantile_between(double quantile, instant from, instant to) const {
  return quantile_of(pooled_between(from, to), quantile);
}

bool series::counts_before_cutover(const kept& k, instant at) const {
  if (k.at > at || k.at <= at - counts_before::longest || !k.value) return false;
  return std::ranges::none_of(forgiven_, [&](const stretch& s) { return k.at > s.from && k.at <= s.to; });
}

std::shared_ptr<const counts_by_key> series::count_each_before(instant at) const {
  if (samples_.empty() || samples_.front().from >= at) return nullptr;
  counts_by_key made;
  for (const kept& k : samples_) {
    if (!counts_before_cutover(k, at)) continue;
    for (const keyed_ratio& r : *std::get<std::shared_ptr<const ratios>>(*k.value)) {
      pooled& counts = made[*r.of];
      counts.numerator += r.numerator;
      counts.denominator += r.denominator;
    }
  }
  return std::make_shared<const counts_by_key>(std::move(made));
}

/// By second, in the time that was watched; what is not known of a second is nothing.
std::shared_ptr<const counts_before> series::count_before(instant at) const {
  if (samples_.empty() || samples_.front().from >= at) return nullptr;
  const auto length = std::min<duration>(at - samples_.front().from, counts_before::longest);
  std::vector<pooled> by_second(static_cast<std::size_t>(std::chrono::ceil<std::chrono::seconds>(length).count()));
  for (const kept& k : samples_) {
    if (!counts_before_cutover(k, at) || k.at <= at - length) continue;
    const auto& counts = std::get<pooled>(*k.value);
    pooled& second = by_second[by_second.size() - 1 - static_cast<std::size_t>((at - k.at) / std::chrono::seconds(1))];
    second.numerator += counts.numerator;
    second.denominator += counts.denominator;
  }
  return std::make_shared<const counts_before>(std::move(by_second));
}

}  // namespace flipback::rules
