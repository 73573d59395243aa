#include "probes/prometheus/matrix.hpp"

#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <utility>

namespace flipback::prometheus {

namespace {

net::failure bad(std::string says) {
  return {reason::bad_answer, std::move(says)};
}

std::optional<track> read_track(const json::value& series) {
  const json::value* labels = net::value_at(series, "/metric");
  const json::array* points = net::array_at(series, "/values");
  if (labels == nullptr || !labels->is_object() || points == nullptr) return std::nullopt;
  track made{labels->get_object(), {}};
  made.points.reserve(points->size());
  for (const json::value& point : *points) {
    const auto read = read_point(point);
    if (!read) return std::nullopt;
    made.points.push_back({read->time, read->value});
  }
  return made;
}

}  // namespace

net::result<json::value> range_data(std::string_view answer) {
  const auto said = net::parse_json(answer);
  if (!said) return std::unexpected(said.error());
  if (net::text_at(*said, "/status") == "error")
    return std::unexpected(
        bad(fmt::format("Prometheus answered an error ({}): {}", flipback::quoted(net::text_at(*said, "/errorType").value_or("")),
                        flipback::quoted(net::text_at(*said, "/error").value_or("nothing more")))));
  const json::value* data = net::value_at(*said, "/data");
  if (net::text_at(*said, "/status") != "success" || data == nullptr)
    return std::unexpected(bad("the JSON has no status and data: it is no answer of Prometheus'"));
  return *data;
}

net::result<std::vector<track>> tracks_of(const json::value& data) {
  const auto type = net::text_at(data, "/resultType");
  const json::array* result = net::array_at(data, "/result");
  if (!type || result == nullptr) return std::unexpected(bad("the answer has no result and its type"));
  if (*type != "matrix")
    return std::unexpected(bad(fmt::format("the answer is of the type \"{}\", expected a matrix, as /api/v1/query_range gives it",
                                           flipback::quoted(*type, {}, 40))));
  std::vector<track> made;
  for (const json::value& series : *result) {
    if (net::value_at(series, "/histograms") != nullptr)
      return std::unexpected(
          bad("the answer has native histograms, expected numbers: histogram_quantile(0.95, …) or histogram_count(…) makes them"));
    auto one = read_track(series);
    if (!one) return std::unexpected(bad("the answer has a series without labels, or with a sample that is no time and value"));
    made.push_back(std::move(*one));
  }
  return made;
}

}  // namespace flipback::prometheus
