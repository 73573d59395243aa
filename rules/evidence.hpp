#pragma once

#include "flipback/observation.hpp"
#include "flipback/units.hpp"

#include "rules/language/truth.hpp"

#include <array>
#include <map>
#include <string>
#include <vector>

/// What a ratio's counts show, beyond what chance makes of them (packaging/docs/rules.md: "Sure, and worse").
namespace flipback::rules {

/// The counts of a window's fifths, oldest first.
using fifths = std::array<pooled, 5>;

/// Of each of several ratios, by its key.
using fifths_by_key = std::map<std::string, fifths, std::less<>>;
using counts_by_key = std::map<std::string, pooled, std::less<>>;

/// Whether a share is above a limit: in every fifth above half of it, in the last above all of it, and in the whole by more than chance, at
/// that confidence. `clumps`: how many errors come together. Unknown without a request.
truth surely(const fifths& counts, double limit, double confidence, double clumps);

/// Which of several ratios stands for all of them, and whether it is surely above the limit.
struct foremost {
  std::string key;  ///< empty: none has so many errors
  pooled counts;
  truth is = truth::no;
  bool was_so_before = false;  ///< more than half of the limit failed before the cutover already, which is not held against this release
};
/// Of those with so many errors at least, one that is surely above the limit and was not so before; where there is none, the one with the
/// most errors.
foremost surely_one(const fifths_by_key& counts, const counts_by_key* before, double limit, double confidence, double least_errors);

/// A ratio's counts by second in the ten minutes before a cutover: what the release after it is held against.
class counts_before {
 public:
  static constexpr std::chrono::seconds longest = std::chrono::minutes(10);

  /// The seconds, oldest first; the last ends at the cutover.
  explicit counts_before(std::vector<pooled> by_second);

  /// How errors clumped then; 1 to 20.
  [[nodiscard]] double clumps() const { return clumps_; }

  /// The stretch of so many seconds with the most errors, of several the one with the fewest requests; the whole where it is no longer.
  struct stretch {
    pooled counts;
    std::chrono::seconds before_cutover{};  ///< when it ended
    bool is_whole = false;
  };
  [[nodiscard]] stretch worst(duration length) const;

  /// Whether the counts of a window of that length are worse than what was before: by more than chance, by half as much again as in the
  /// worst stretch as long, in share and in number. Unknown where there was no request before, or is none in the window.
  [[nodiscard]] truth is_worse(const pooled& now, duration length) const;

 private:
  std::vector<pooled> by_second_;
  pooled all_;
  double clumps_;
};

}  // namespace flipback::rules
