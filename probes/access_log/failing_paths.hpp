#pragma once

#include "flipback/ratios.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace flipback::access_log {

/// Requests and errors of the paths that fail, in memory that does not grow with the number of paths. A path is counted from its first
/// error on, and as long as it is among those that fail most often: of the errors since about ten minutes, one that has more than a 64th
/// of them is (Misra and Gries, "Finding repeated elements", 1982).
class failing_paths {
 public:
  static constexpr std::size_t most = 64;
  static constexpr unsigned takes_until_halved = 300;  ///< taken once a second, that is 5 minutes

  void add(std::string_view path, bool failed);
  /// What came since the last call, of the paths that are counted and were asked for.
  ratios take();

 private:
  struct counted {
    std::shared_ptr<const std::string> of;
    std::uint64_t weight = 0;  ///< its errors, of which the older ones count less
    std::uint32_t errors = 0;
    std::uint32_t requests = 0;
  };

  void lighten(std::uint64_t (*less)(std::uint64_t weight));

  std::map<std::string_view, counted> paths_;  ///< by the text that the value owns
  unsigned takes_ = 0;
};

}  // namespace flipback::access_log
