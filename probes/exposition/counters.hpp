#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace flipback::exposition {

/// What is known of the time between two scrapes: nothing, what the counters grew by, or that all that they show has come since (their
/// process is new).
enum class growth : std::uint8_t { none, by_difference, from_zero };

/// What a counter's growth counts as: which sum it belongs to, and, of a histogram's bucket, its bound.
struct purpose {
  std::size_t sum = 0;
  double upper = 0;
};

/// Counters from scrape to scrape. No I/O, no clock.
class counters {
 public:
  static constexpr std::size_t most = 100'000;     ///< series; more are not taken
  static constexpr std::uint64_t remembered = 30;  ///< scrapes for which a series that is not there any more is kept

  /// A series' value in the scrape under way; the second time it is passed over. `key` tells it from all others. False: there are too many.
  bool see(std::string_view key, double value, purpose of);
  /// Whether a counter of this scrape shows less than it did.
  [[nodiscard]] bool fell() const { return fell_; }
  /// Ends a scrape: each of its series with its value, and what it grew by. A counter that fell was reset, and shows what has come since
  /// (Prometheus, promql/functions.go); one that was not there before began at zero, as its first error's does. `another`:
  /// these are another process's than the last scrape's; what it does not show, it has not counted.
  void close(growth how, bool another, const std::function<void(purpose of, double value, std::optional<double> grown)>& each);
  /// Gives a scrape up that was not read to its end.
  void abandon();

 private:
  struct series {
    purpose of;
    double now = 0;
    std::optional<double> before;
    std::uint64_t seen = 0;  ///< the scrape in which it was there last
  };
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::unordered_map<std::string, series, hash, std::equal_to<>> all_;
  std::uint64_t scrape_ = 1;
  bool fell_ = false;
};

}  // namespace flipback::exposition
