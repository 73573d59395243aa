#include "probes/prometheus/matrix.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace flipback;
using namespace flipback::prometheus;

namespace {

/// The series of an answer, "job 10=1 20=-", or the failure's sentence.
std::string read(std::string_view answer) {
  const auto data = range_data(answer);
  if (!data) return data.error().says;
  const auto all = tracks_of(*data);
  if (!all) return all.error().says;
  std::string made;
  for (const track& t : *all) {
    made += net::text_at(t.labels, "/job").value_or("nobody");
    for (const track::point& p : t.points) made += p.value ? fmt::format(" {}={}", p.time, *p.value) : fmt::format(" {}=-", p.time);
    made += ";";
  }
  return made;
}

std::string matrix(std::string_view result, std::string_view type = "matrix") {
  return fmt::format(R"({{"status":"success","data":{{"resultType":"{}","result":{}}}}})", type, result);
}

}  // namespace

TEST_CASE("every_sample_of_every_series_is_there") {
  CHECK(read(matrix("[]")).empty());
  CHECK(read(matrix(R"([{"metric":{"job":"a"},"values":[[10,"1"],[20.5,"2e3"]]},{"metric":{},"values":[]}])")) ==
        "a 10=1 20.5=2000;nobody;");
  CHECK(read(matrix(R"([{"metric":{},"values":[[10,"NaN"],[20,"+Inf"]]}])")) == "nobody 10=- 20=-;");
}

TEST_CASE("what_is_no_matrix_is_said") {
  CHECK(read("") == "the body is empty, expected JSON");
  CHECK(read(R"({"status":"success","data":{"resultType":"matr)") == "the JSON in the body is cut short");
  CHECK(read("[]") == "the JSON has no status and data: it is no answer of Prometheus'");
  CHECK(read(R"({"status":"error","errorType":"bad_data","error":"no such\nquery"})") ==
        "Prometheus answered an error (bad_data): no such query");
  CHECK(read(matrix("[]", "vector")) == R"(the answer is of the type "vector", expected a matrix, as /api/v1/query_range gives it)");
  CHECK(read(matrix(R"([{"metric":{},"values":[[10,1]]}])")) ==
        "the answer has a series without labels, or with a sample that is no time and value");
  CHECK(read(matrix(R"([{"metric":{},"histograms":[]}])")).starts_with("the answer has native histograms"));
}
