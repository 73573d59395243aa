#include "flipback/sketch.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace flipback {

namespace {

constexpr double smallest = 1e-6;
constexpr double largest = 1e6;
constexpr double gamma = (1 + sketch::relative_error) / (1 - sketch::relative_error);
const double log_gamma = std::log(gamma);

std::int32_t index_of(double seconds) {
  return static_cast<std::int32_t>(std::ceil(std::log(seconds) / log_gamma));
}

/// The value whose relative distance to both ends of the bucket is the same: 2γ^i / (γ+1).
double value_of(std::int32_t index) {
  return 2 * std::exp(index * log_gamma) / (gamma + 1);
}

}  // namespace

std::uint64_t& sketch::bucket(std::int32_t index) {
  if (buckets_.empty()) first_ = index;
  if (index < first_) {
    buckets_.insert(buckets_.begin(), static_cast<std::size_t>(first_ - index), 0);
    first_ = index;
  }
  const auto at = static_cast<std::size_t>(index - first_);
  if (at >= buckets_.size()) buckets_.resize(at + 1, 0);
  return buckets_[at];
}

void sketch::add(double seconds, std::uint64_t times) {
  count_ += times;
  if (!(seconds >= smallest)) {
    zeros_ += times;
  } else {
    bucket(index_of(std::min(seconds, largest))) += times;
  }
}

void sketch::merge(const sketch& other) {
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) {
    if (other.buckets_[i] != 0) bucket(other.first_ + static_cast<std::int32_t>(i)) += other.buckets_[i];
  }
  zeros_ += other.zeros_;
  count_ += other.count_;
}

void sketch::remove(const sketch& other) {
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) {
    if (other.buckets_[i] != 0) bucket(other.first_ + static_cast<std::int32_t>(i)) -= other.buckets_[i];
  }
  zeros_ -= other.zeros_;
  count_ -= other.count_;
  if (count_ == 0) clear();
}

void sketch::clear() {
  *this = {};
}

std::optional<double> sketch::quantile(double q) const {
  if (count_ == 0) return std::nullopt;
  const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(count_ - 1);
  double below = static_cast<double>(zeros_);
  if (below > rank) return 0.0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    below += static_cast<double>(buckets_[i]);
    if (below > rank) return value_of(first_ + static_cast<std::int32_t>(i));
  }
  return value_of(first_ + static_cast<std::int32_t>(buckets_.size()) - 1);
}

std::optional<sketch> sketch::of(parts from) {
  const std::int32_t lowest = index_of(smallest) - 1;
  const std::int32_t highest = index_of(largest) + 1;
  const bool fits = from.buckets.empty() || (from.first >= lowest && from.buckets.size() <= static_cast<std::size_t>(highest - lowest) &&
                                             from.first <= highest - static_cast<std::int32_t>(from.buckets.size()) + 1);
  if (!fits) return std::nullopt;
  sketch made;
  made.zeros_ = from.zeros;
  made.first_ = from.first;
  made.buckets_ = std::move(from.buckets);
  made.count_ = std::accumulate(made.buckets_.begin(), made.buckets_.end(), made.zeros_);
  return made;
}

}  // namespace flipback
