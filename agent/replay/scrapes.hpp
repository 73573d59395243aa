#pragma once

#include "agent/replay/moments.hpp"
#include "probes/exposition/reader.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace flipback::replay {

/// The samples of metrics texts, in whatever order they stand there, put together again as the scrapes that they came with: those of one
/// target (its labels `job` and `instance`) at one time. NaN is a sample that is not there, as Prometheus marks a series that is gone.
class scrapes {
 public:
  static constexpr exposition::text_bounds most{std::size_t{1} << 30U, 100'000'000};  ///< of one text
  static constexpr std::size_t most_kept = 30'000'000;                                ///< samples that are looked at, 24 bytes each

  /// A scrape: one target's samples of one time.
  struct scrape {
    std::int64_t at = 0;  ///< milliseconds since 1970
    std::uint32_t target = 0;
    std::span<const exposition::item> items;
  };

  /// Samples that `is_wanted` does not want by their name are passed over.
  explicit scrapes(std::function<bool(std::string_view name)> is_wanted) : is_wanted_(std::move(is_wanted)) {}

  /// Reads one text, whose end says which format it has; gives how many of its samples are looked at. An error is one sentence, with the
  /// line.
  std::expected<std::size_t, std::string> read(std::string_view text);
  /// Puts what was read in order. To be called once, after the last text.
  void sort();

  /// Every scrape by its time, then by its target. Those that failed (`up` is 0) and those of targets that have nothing wanted are left
  /// out.
  void each(const std::function<void(const scrape&)>& take) const;
  /// The usual time between two scrapes of a target, the longest of all targets'; nothing where no target was scraped twice.
  [[nodiscard]] std::optional<duration> step() const;

 private:
  struct kept {
    std::int64_t at = 0;
    double value = 0;
    std::uint32_t target = 0;
    std::uint32_t series = 0;
  };
  struct series {
    std::string_view name;  ///< views into the key
    std::vector<exposition::label> labels;
    std::uint32_t target = 0;
    bool is_up = false;
    bool counts = false;  ///< it is not about the scraping or the process alone
  };
  struct target {
    bool counts = false;  ///< it has a series that does
  };

  std::optional<std::uint32_t> series_of(const exposition::item& of);
  std::uint32_t target_of(const std::vector<exposition::label>& labels);
  [[nodiscard]] bool has_failed(std::span<const kept> one) const;

  std::function<bool(std::string_view)> is_wanted_;
  std::vector<kept> samples_;
  std::vector<series> series_;
  std::vector<target> targets_;
  std::unordered_map<std::string, std::uint32_t> series_by_key_;
  std::unordered_map<std::string, std::uint32_t> targets_by_key_;
};

/// Whether a text says at its end that it is OpenMetrics.
exposition::format format_of(std::string_view text);

}  // namespace flipback::replay
