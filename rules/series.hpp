#pragma once

#include "flipback/signal.hpp"

#include "rules/language/expression.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace flipback::rules {

/// How much a window holds: what `min_samples` and `min_errors` are held against.
struct fill {
  double samples = 0;  ///< requests of a ratio or distribution, else samples
  double errors = 0;   ///< numerator of a ratio
};

/// The samples of one signal, as long as any window needs them, and its windows, (t−W, t]. Ratios and distributions are pooled as samples
/// come and go; the sums are of whole numbers, so nothing drifts.
///
/// A window may start empty at each cutover: then only samples that speak wholly of the time after it count. What a reading was at the
/// cutover can be remembered.
class series {
 public:
  series(signal_kind kind, duration stale) : kind_(kind), stale_(stale) {}

  /// A window of this length, made where there is none yet; its number.
  std::size_t window(duration length, bool since_cutover);

  /// Has this reading remembered as it is at each cutover, of a window of that length (zero: the newest sample); its number.
  std::size_t remember(duration length, function how, double quantile);

  void add(const sample& s);
  void cutover(instant at);
  /// Windows that begin at a cutover hold from now on what came wholly after `since`, and nothing else.
  void only_since(instant since);
  /// Takes over the samples of a series of the same signal, and when the cutover was.
  void adopt(const series& before);
  /// Drops what has left every window.
  void advance(instant now);

  /// The reading of a window at `now`; nothing where no value is known. Precondition: advance(now) has been called.
  [[nodiscard]] std::optional<double> read(std::size_t window, function how, double quantile, instant now) const;
  /// The newest sample alone.
  [[nodiscard]] std::optional<double> newest(bool since_cutover, instant now) const;
  /// What a reading was at the newest cutover; nothing where that is not known.
  [[nodiscard]] std::optional<double> remembered(std::size_t number) const { return memories_[number].value; }
  [[nodiscard]] bool was_cut_over() const { return cutover_ != instant::min(); }
  [[nodiscard]] instant cut_over_at() const { return cutover_; }
  /// When the newest sample was taken that has a value and in whose time something happened; `instant::min()`: there was none.
  [[nodiscard]] instant newest_that_tells() const { return fresh_; }
  [[nodiscard]] instant newest_at() const { return samples_.empty() ? instant::min() : samples_.back().at; }
  [[nodiscard]] fill filled(std::size_t window) const;
  [[nodiscard]] bool is_stale(instant now) const;
  /// When the newest sample goes stale; nothing where it is.
  [[nodiscard]] std::optional<instant> stale_at(instant now) const;
  [[nodiscard]] signal_kind kind() const { return kind_; }
  [[nodiscard]] duration stale_after() const { return stale_; }

 private:
  struct kept {
    instant from;
    instant at;
    std::optional<measured> value;
  };
  struct span {
    duration length;
    bool since_cutover;
    std::uint64_t first;  ///< number of the oldest sample inside
    pooled sums;
    sketch distribution;
    histogram buckets;  ///< of a distribution that comes counted
    std::uint64_t values = 0;
  };

  struct memory {
    duration length;
    function how;
    double quantile;
    std::optional<double> value;
    [[nodiscard]] bool is_of(const memory& m) const { return length == m.length && how == m.how && quantile == m.quantile; }
  };

  [[nodiscard]] std::optional<double> read_at(const memory& m, instant at) const;
  [[nodiscard]] bool counts(const span& w, const kept& k) const { return k.value && (!w.since_cutover || k.from >= cutover_); }
  void pool(span& w, const kept& k, bool in) const;
  [[nodiscard]] std::optional<double> fold(const span& w, function how) const;
  [[nodiscard]] std::optional<double> increase(const span& w) const;
  [[nodiscard]] static std::optional<double> quantile_of(const span& w, double quantile);

  signal_kind kind_;
  duration stale_;
  std::vector<kept> samples_;  ///< a vector: most series keep one sample, and a deque would cost half a kilobyte for it
  std::uint64_t dropped_ = 0;  ///< how many have left the front: sample number n is samples_[n − dropped_]
  std::vector<span> windows_;
  std::vector<memory> memories_;
  instant cutover_ = instant::min();
  instant fresh_ = instant::min();  ///< newest sample with a value that is not quiet
};

}  // namespace flipback::rules
