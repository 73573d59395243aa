#include "probes/prometheus/value.hpp"

#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace flipback::prometheus {

namespace {

net::failure bad(std::string says) {
  return {reason::bad_answer, std::move(says)};
}

bool take_point(const json::value& point, element& into) {
  const auto read = read_point(point);
  if (!read) return false;
  into.value = read->value;
  if (!read->value) into.instead = read->written;
  return true;
}

void take_histogram(element& into) {
  into.histogram = true;
  into.instead = "a native histogram";
}

const json::value* newest(const json::value& series, std::string_view of) {
  const json::array* points = net::array_at(series, of);
  return points == nullptr || points->empty() ? nullptr : &points->back();
}

double time_of(const json::value* point) {
  const auto at = point == nullptr ? std::nullopt : net::number_at(*point, "/0");
  return at.value_or(-HUGE_VAL);
}

std::optional<element> read_series(const json::value& series) {
  element made;
  const json::value* labels = net::value_at(series, "/metric");
  if (labels == nullptr || !labels->is_object()) return std::nullopt;
  made.labels = labels->get_object();
  if (const json::value* point = net::value_at(series, "/value")) {
    if (!take_point(*point, made)) return std::nullopt;
    return made;
  }
  const json::value* value = newest(series, "/values");
  const json::value* histogram = newest(series, "/histograms");
  if (net::value_at(series, "/histogram") != nullptr || time_of(histogram) > time_of(value)) {
    take_histogram(made);
    return made;
  }
  if (value == nullptr || !take_point(*value, made)) return std::nullopt;
  return made;
}

}  // namespace

std::optional<double> parse_value(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);  // "+Inf", which from_chars does not take
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<timed_value> read_point(const json::value& point) {
  const json::array* pair = point.if_array();
  if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_number() || !(*pair)[1].is_string()) return std::nullopt;
  const std::string_view text = (*pair)[1].get_string();
  const auto value = parse_value(text);
  if (!value) return std::nullopt;
  return timed_value{(*pair)[0].to_number<double>(), std::isfinite(*value) ? value : std::nullopt, text};
}

net::result<std::vector<element>> elements_of(const json::value& data) {
  const auto type = net::text_at(data, "/resultType");
  const json::value* result = net::value_at(data, "/result");
  if (!type || result == nullptr || !result->is_array()) return std::unexpected(bad("the answer has no result and its type"));
  if (*type == "string") {
    const std::string text = flipback::quoted(net::text_at(*result, "/1").value_or(""), {}, 40);
    return std::unexpected(bad(fmt::format("the answer is the text \"{}\", expected a number", text)));
  }
  std::vector<element> made;
  if (*type == "scalar") {
    if (!take_point(*result, made.emplace_back())) return std::unexpected(bad("the answer's scalar is no time and value"));
    return made;
  }
  if (*type != "vector" && *type != "matrix")
    return std::unexpected(
        bad(fmt::format("the answer is of the type \"{}\", expected a scalar, vector or matrix", flipback::quoted(*type, {}, 40))));
  for (const json::value& series : result->get_array()) {
    auto one = read_series(series);
    if (!one) return std::unexpected(bad("the answer has a series without labels, or without a value"));
    made.push_back(std::move(*one));
  }
  return made;
}

std::string label_of(const element& e, std::string_view name) {
  const json::value* found = e.labels.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

net::result<number> number_of(const std::vector<element>& answer) {
  if (answer.empty()) return number{std::nullopt, "no series"};
  if (answer.size() > 1)
    return std::unexpected(
        bad(fmt::format("the answer has {} series, expected one: sum(…), max(…) or the like makes one of them", answer.size())));
  const element& only = answer.front();
  if (only.histogram)
    return std::unexpected(
        bad("the answer is a native histogram, expected a number: histogram_quantile(0.95, …) or histogram_count(…) makes one"));
  return number{only.value, only.instead};
}

}  // namespace flipback::prometheus
