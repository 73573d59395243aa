#pragma once

#include "flipback/observation.hpp"
#include "flipback/settings.hpp"

#include "probes/declarations.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::prometheus {

/// One measurement, and the PromQL that gives it.
struct query {
  std::string_view measured_as;
  std::string promql;       ///< of a ratio: the counters of its numerator
  std::string denominator;  ///< of a ratio: the counters of its denominator
  unit in = unit::number;
  std::optional<double> empty;  ///< what no series at all means; nothing: absent
  duration covers{};            ///< how long before a run the time begins of which a value may speak
  [[nodiscard]] bool is_ratio() const { return !denominator.empty(); }
};

/// Reads `query` with its keys, which is measured as `value`, or the table `queries`, each of it under its own name.
std::vector<query> read_queries(settings::section& from, declarations& declared);

}  // namespace flipback::prometheus
