#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace flipback {

/// A distribution of durations in buckets of equal relative width: DDSketch (Masson, Rim, Lee 2019, "DDSketch: a fast and
/// fully-mergeable quantile sketch with relative-error guarantees"), so samples of many seconds pool without loss.
/// A quantile differs from the exact one by at most 1% of its value for values from 1 µs to 10^6 s; smaller ones count as 0,
/// larger ones as 10^6 s.
class sketch {
 public:
  static constexpr double relative_error = 0.01;

  void add(double seconds, std::uint64_t times = 1);
  void merge(const sketch& other);
  /// Takes away what was merged before: a window that slides. Precondition: `other` was merged and not yet taken away.
  void remove(const sketch& other);
  void clear();

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// The value at rank q·(count−1), 0 ≤ q ≤ 1, in seconds; nothing where the sketch is empty.
  [[nodiscard]] std::optional<double> quantile(double q) const;

  /// What it is made of, for a record: `buckets` from number `first` on, in the order of their values.
  struct parts {
    std::uint64_t zeros = 0;
    std::int32_t first = 0;
    std::vector<std::uint64_t> buckets;
  };
  [[nodiscard]] parts taken_apart() const { return {zeros_, first_, buckets_}; }
  /// The sketch of these parts; nothing where no sketch has such.
  static std::optional<sketch> of(parts from);

 private:
  std::uint64_t& bucket(std::int32_t index);

  // Bucket first_ + i holds (γ^(first_+i−1), γ^(first_+i)], γ = (1+e)/(1−e); a second's traffic spans few of them.
  std::vector<std::uint64_t> buckets_;
  std::int32_t first_ = 0;
  std::uint64_t zeros_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace flipback
