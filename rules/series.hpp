#pragma once

#include "flipback/signal.hpp"

#include "rules/evidence.hpp"
#include "rules/language/expression.hpp"

#include <cstdint>
#include <memory>
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
/// A window may start empty at each cutover: then only samples that speak wholly of the time after it count, and it reads as unknown until
/// it is full. What a reading was at the cutover can be remembered, and a ratio's counts by second before it.
class series {
 public:
  /// `of_live`: the samples speak of the slot that is live, so that those that came before a cutover was told are of the slot before.
  series(signal_kind kind, duration stale, bool of_live = false) : kind_(kind), stale_(stale), of_live_(of_live) {}

  /// How a window begins: with whatever was kept; at the cutover; or at the cutover, and unknown until it is full.
  enum class start : std::uint8_t { kept, at_cutover, full };
  /// A window of this length, made where there is none yet; its number.
  std::size_t window(duration length, start from);

  /// Has this reading remembered as it is at each cutover, of a window of that length (zero: the newest sample); its number.
  std::size_t remember(duration length, function how, double quantile);
  /// Has a ratio's counts remembered by second, or those of each of several as a whole, of the ten minutes before each cutover.
  void look_back() { looks_back_ = true; }

  void add(const sample& s);
  /// `forgive`: what came since the cutover before was of a release that was rolled back, and is nothing to be held against.
  /// `recalled`: nothing of the release before has come.
  void cutover(instant at, bool forgive = false, bool recalled = false);
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
  /// How much is missing until a window may be read; zero where it may.
  [[nodiscard]] duration fills_in(std::size_t window, instant now) const;
  /// A ratio's counts in a window, by fifths of its time.
  [[nodiscard]] fifths fifths_of(std::size_t window, instant now) const;
  /// The same of each of several ratios.
  [[nodiscard]] fifths_by_key each_in_fifths(std::size_t window, instant now) const;
  /// What each of several ratios was in the ten minutes before the newest cutover; null where that is not known.
  [[nodiscard]] const std::shared_ptr<const counts_by_key>& each_before() const { return each_before_; }
  /// A ratio's counts before the newest cutover; null where none are known.
  [[nodiscard]] const std::shared_ptr<const counts_before>& before() const { return before_; }
  /// A ratio's counts in samples that lie wholly in (from, to], whatever cutovers do, as far back as samples are kept.
  [[nodiscard]] pooled counts_between(instant from, instant to) const;
  /// The same of a distribution's quantile; nothing where there is no value.
  [[nodiscard]] std::optional<double> quantile_between(double quantile, instant from, instant to) const;
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
    start from;
    std::uint64_t first;  ///< number of the oldest sample inside
    pooled sums;
    sketch distribution;
    histogram buckets;  ///< of a distribution that comes counted
    std::uint64_t values = 0;
    instant since = instant::min();    ///< nothing from before is in it: a reload has made it longer than what was kept
    std::optional<double> last_out{};  ///< the newest value that has left: what a counter's first growth inside begins at
  };
  struct stretch {
    instant from;
    instant to;
  };

  struct memory {
    duration length;
    function how;
    double quantile;
    std::optional<double> value;
    [[nodiscard]] bool is_of(const memory& m) const { return length == m.length && how == m.how && quantile == m.quantile; }
  };

  [[nodiscard]] std::optional<double> read_at(const memory& m, instant at) const;
  [[nodiscard]] bool counts_in(const span& w, const kept& k) const { return k.value && (w.from == start::kept || k.from >= cutover_); }
  void pool(span& w, const kept& k, bool in) const;
  /// Hands over each sample that a window counts, oldest first.
  void each_inside(const span& w, const auto& take) const {
    for (auto n = w.first - dropped_; n < samples_.size(); ++n) {
      if (counts_in(w, samples_[n])) take(samples_[n]);
    }
  }
  [[nodiscard]] std::optional<double> fold(const span& w, function how) const;
  [[nodiscard]] std::optional<double> increase(const span& w) const;
  [[nodiscard]] span pooled_between(instant from, instant to) const;
  [[nodiscard]] static std::size_t fifth_of(const span& w, const kept& k, instant end);
  [[nodiscard]] static std::optional<double> quantile_of(const span& w, double quantile);
  [[nodiscard]] std::shared_ptr<const counts_before> count_before(instant at) const;
  [[nodiscard]] std::shared_ptr<const counts_by_key> count_each_before(instant at) const;
  [[nodiscard]] bool counts_before_cutover(const kept& k, instant at) const;
  [[nodiscard]] std::uint64_t first_after(instant at) const;
  [[nodiscard]] instant end_of_windows(instant now) const;

  signal_kind kind_;
  duration stale_;
  bool of_live_;
  bool looks_back_ = false;
  std::vector<kept> samples_;  ///< a vector: most series keep one sample, and a deque would cost half a kilobyte for it
  std::uint64_t dropped_ = 0;  ///< how many have left the front: sample number n is samples_[n − dropped_]
  std::vector<span> windows_;
  std::vector<memory> memories_;
  instant cutover_ = instant::min();
  instant fresh_ = instant::min();  ///< newest sample with a value that is not quiet
  instant anew_ = instant::max();   ///< where the oldest sample begins that came wholly after the cutover
  std::vector<stretch> forgiven_;   ///< releases that were rolled back
  std::shared_ptr<const counts_before> before_;
  std::shared_ptr<const counts_by_key> each_before_;
};

}  // namespace flipback::rules
