#pragma once

#include "probes/prometheus/value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::prometheus {

/// One series of a matrix with all of its samples, in the order of the answer.
struct track {
  struct point {
    double time = 0;              ///< seconds since 1970
    std::optional<double> value;  ///< nothing: NaN, an infinity
  };
  json::object labels;
  std::vector<point> points;
};

/// The data of what /api/v1/query_range answered, as it stands in a file; else what it is instead, or which error the server said.
net::result<json::value> range_data(std::string_view answer);

/// Every series of a matrix; anything else is `bad_answer`, and so is a native histogram.
net::result<std::vector<track>> tracks_of(const json::value& data);

}  // namespace flipback::prometheus
