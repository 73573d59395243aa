#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flipback::access_log {

/// The keys that are counted most often, in memory that does not grow with their number (Misra and Gries, "Finding repeated elements",
/// 1982): a key's count is never too large, and too small by at most total / most_kept.
class heavy_hitters {
 public:
  static constexpr std::size_t most_kept = 64;
  static constexpr std::size_t longest_key = 200;  ///< bytes; what follows does not tell keys apart

  void add(std::string_view key, std::uint64_t times = 1);
  /// Adds what another has counted. The bound holds for the sum.
  void merge(const heavy_hitters& other);

  [[nodiscard]] std::uint64_t total() const { return total_; }
  /// The keys and their counts, the largest first.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> largest(std::size_t most) const;

 private:
  void make_room();

  std::map<std::string, std::uint64_t, std::less<>> counts_;
  std::uint64_t total_ = 0;
};

}  // namespace flipback::access_log
