#include "flipback/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flipback {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double small_delta = 1e-12;  // promql/quantile.go, smallDeltaTolerance

}  // namespace

bool histogram::add(double upper, double count) {
  const auto at = std::ranges::lower_bound(buckets_, upper, {}, &bucket::upper);
  if (at != buckets_.end() && at->upper == upper) {
    at->count += count;
    ++at->parts;
    return true;
  }
  if (buckets_.size() >= most_bounds) return false;
  buckets_.insert(at, {upper, count, 1});
  return true;
}

void histogram::merge(const histogram& other) {
  std::size_t mine = 0;
  for (const bucket& b : other.buckets_) {
    while (mine < buckets_.size() && buckets_[mine].upper < b.upper) ++mine;
    if (mine == buckets_.size() || buckets_[mine].upper != b.upper)
      buckets_.insert(buckets_.begin() + static_cast<std::ptrdiff_t>(mine), {b.upper, 0, 0});
    buckets_[mine].count += b.count;
    buckets_[mine].parts += b.parts;
  }
}

void histogram::remove(const histogram& other) {
  std::size_t mine = 0;
  bool emptied = false;
  for (const bucket& b : other.buckets_) {
    while (buckets_[mine].upper < b.upper) ++mine;
    buckets_[mine].count -= b.count;
    buckets_[mine].parts -= b.parts;
    emptied = emptied || buckets_[mine].parts == 0;
  }
  if (emptied) std::erase_if(buckets_, [](const bucket& b) { return b.parts == 0; });
}

double histogram::count() const {
  return buckets_.empty() || buckets_.back().upper != infinity ? 0 : buckets_.back().count;
}

double histogram::largest_bound() const {
  for (auto b = buckets_.rbegin(); b != buckets_.rend(); ++b) {
    if (b->upper != infinity) return b->upper;
  }
  return nan;
}

bool histogram::is_uniform() const {
  return std::ranges::all_of(buckets_, [&](const bucket& b) { return b.parts == buckets_.front().parts; });
}

double histogram::quantile(double q) const {
  if (std::isnan(q)) return nan;
  if (q < 0) return -infinity;
  if (q > 1) return infinity;
  if (buckets_.size() < 2 || buckets_.back().upper != infinity) return nan;
  std::vector<double> counts;
  counts.reserve(buckets_.size());
  for (const bucket& b : buckets_) {
    // A rate's rounding makes counts that should be equal differ a little; a scrape in the middle of an observation makes one fall.
    const double before = counts.empty() ? b.count : counts.back();
    const bool same = std::abs(b.count - before) <= small_delta * (std::abs(b.count) + std::abs(before));
    counts.push_back(b.count < before || same ? before : b.count);
  }
  const std::size_t last = buckets_.size() - 1;
  if (counts[last] == 0) return nan;
  double rank = q * counts[last];
  std::size_t b = 0;
  while (b < last && counts[b] < rank) ++b;
  if (b == last) return buckets_[last - 1].upper;
  if (b == 0 && buckets_[0].upper <= 0) return buckets_[0].upper;
  double start = 0;
  double inside = counts[b];
  if (b > 0) {
    start = buckets_[b - 1].upper;
    inside -= counts[b - 1];
    rank -= counts[b - 1];
  }
  return start + (buckets_[b].upper - start) * (rank / inside);
}

std::optional<histogram> histogram::of(std::vector<bucket> buckets) {
  const auto fits = [](const bucket& b) { return !std::isnan(b.upper) && std::isfinite(b.count); };
  const bool rises = std::ranges::is_sorted(buckets, std::ranges::less_equal{}, &bucket::upper);
  if (!rises || !std::ranges::all_of(buckets, fits)) return std::nullopt;
  histogram made;
  made.buckets_ = std::move(buckets);
  return made;
}

}  // namespace flipback
