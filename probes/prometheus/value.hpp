#pragma once

#include "probes/prometheus/api.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::prometheus {

/// One series of a query's answer, with its newest sample.
struct element {
  json::object labels;
  std::optional<double> value;  ///< nothing: NaN, an infinity, a histogram
  std::string instead;          ///< of a value that is nothing: "NaN", "a native histogram"
  bool histogram = false;
};

/// A sample's value as Prometheus writes it ("1e+00", "NaN", "+Inf"); nothing where it is no number at all.
std::optional<double> parse_value(std::string_view text);

/// One sample as an answer has it, [time, "value"]; nothing where it is none.
struct timed_value {
  double time = 0;              ///< seconds since 1970
  std::optional<double> value;  ///< nothing: NaN, an infinity
  std::string_view written;     ///< in the answer
};
std::optional<timed_value> read_point(const json::value& point);

/// The series of an answer: none or more of a vector or matrix, exactly one without labels of a scalar. A string is none of them:
/// `bad_answer`.
net::result<std::vector<element>> elements_of(const json::value& data);

/// A label's value, "" where the series has none (as PromQL has it).
std::string label_of(const element& e, std::string_view name);

/// The one number that an answer is.
struct number {
  std::optional<double> value;
  std::string instead;  ///< why there is no value: "no series", "NaN"
};
/// Several series and a histogram are no number (`bad_answer`), and what would make one of them is said.
net::result<number> number_of(const std::vector<element>& answer);

}  // namespace flipback::prometheus
