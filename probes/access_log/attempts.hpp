#pragma once

#include "probes/access_log/line.hpp"

#include <array>
#include <optional>
#include <string_view>

namespace flipback::access_log {

/// One try of nginx to have an upstream answer a request.
struct attempt {
  std::string_view upstream;  ///< address, or the group's name where every server in it was down
  int status = 0;             ///< 0: none came
  std::optional<double> header_time;
  std::optional<double> response_time;

  /// Time to the header where the log has it, else to the answer's end; seconds.
  [[nodiscard]] std::optional<double> latency() const { return header_time ? header_time : response_time; }
};

/// The attempts of one request, in order. nginx separates tries by ", " and internal redirects by " : ".
struct attempts {
  static constexpr std::size_t most = 16;  ///< more are counted no further
  std::array<attempt, most> list;
  std::size_t size = 0;

  [[nodiscard]] const attempt* begin() const { return list.data(); }
  [[nodiscard]] const attempt* end() const { return list.data() + size; }
};

attempts attempts_of(const line& of);

}  // namespace flipback::access_log
