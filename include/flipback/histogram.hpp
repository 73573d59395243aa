#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace flipback {

/// A distribution as Prometheus' classic histograms have it: how many observations were at most so large, for each of a few bounds.
/// What is added and merged is summed bound by bound, as `sum by (le)` sums; counts are whole numbers, so that a window can slide.
class histogram {
 public:
  static constexpr std::size_t most_bounds = 200;  ///< of what one scrape adds

  /// `count` observations of at most `upper`, of one more series; +Inf counts all of its observations. False: there are too many bounds.
  bool add(double upper, double count);
  void merge(const histogram& other);
  /// Takes away what was merged before. Precondition: `other` was merged and not yet taken away.
  void remove(const histogram& other);
  void clear() { buckets_.clear(); }

  /// All observations: the bucket of +Inf; 0 where there is none.
  [[nodiscard]] double count() const;
  /// The largest bound but +Inf: no quantile is ever above it. NaN where there is none.
  [[nodiscard]] double largest_bound() const;
  /// Whether everything in it had the same bounds. Otherwise (the buckets were changed, and a window holds both kinds) a sum bound by bound
  /// is no distribution, and quantiles of it are of any size.
  [[nodiscard]] bool is_uniform() const;
  /// Prometheus' histogram_quantile (promql/quantile.go, bucketQuantile): linear within a bucket, the largest bound for what is above it,
  /// NaN where there are no observations, fewer than two buckets or no +Inf. Counts that fall towards larger bounds are mended first.
  [[nodiscard]] double quantile(double q) const;

  struct bucket {
    double upper = 0;
    double count = 0;
    std::uint32_t parts = 0;  ///< how many series have this bound
  };
  /// What it is made of, for a record: by `upper`, each once.
  [[nodiscard]] const std::vector<bucket>& buckets() const { return buckets_; }
  /// The histogram of these buckets; nothing where none has such.
  static std::optional<histogram> of(std::vector<bucket> buckets);

 private:
  std::vector<bucket> buckets_;  ///< by `upper`, each once
};

}  // namespace flipback
