#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace flipback {

/// One of several ratios that are counted side by side, such as the errors of one path and its requests.
struct keyed_ratio {
  std::shared_ptr<const std::string> of;  ///< shared by the samples of a window, which would hold it some hundred times
  std::uint32_t numerator = 0;
  std::uint32_t denominator = 0;
};

/// Those that something happened to in one sample's time; a key occurs once at most.
using ratios = std::vector<keyed_ratio>;

}  // namespace flipback
