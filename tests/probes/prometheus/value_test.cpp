#include "probes/prometheus/value.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <cmath>

using namespace flipback;
using prometheus::elements_of;
using prometheus::number_of;
using prometheus::parse_value;

namespace {

/// The number that an answer's data is, as text; what is said where it is none.
std::string number(std::string_view data) {
  const auto elements = elements_of(boost::json::parse(data));
  if (!elements) return elements.error().says;
  const auto found = number_of(*elements);
  if (!found) return found.error().says;
  return found->value ? std::to_string(*found->value) : found->instead;
}

}  // namespace

TEST_CASE("values_are_read_as_prometheus_writes_them") {
  CHECK(parse_value("1") == 1.0);
  CHECK(parse_value("1e+00") == 1.0);
  CHECK(parse_value("-0.25") == -0.25);
  CHECK(std::isnan(parse_value("NaN").value_or(0)));
  CHECK(std::isinf(parse_value("+Inf").value_or(0)));
  CHECK(parse_value("-Inf") == -HUGE_VAL);
  CHECK(parse_value("5e-324") == 5e-324);
  for (const std::string_view text : {"", "+", "1 ", "1,5", "0x10", "one"}) CHECK_FALSE(parse_value(text).has_value());
}

TEST_CASE("a_scalar_a_vector_of_one_and_the_newest_point_of_a_matrix_are_a_number") {
  CHECK(number(R"({"resultType":"scalar","result":[1.5,"0.5"]})") == "0.500000");
  CHECK(number(R"({"resultType":"vector","result":[{"metric":{"job":"api"},"value":[1.5,"2"]}]})") == "2.000000");
  CHECK(number(R"({"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"],[2,"3"]]}]})") == "3.000000");
}

TEST_CASE("what_is_not_finite_and_what_is_not_there_is_no_value") {
  CHECK(number(R"({"resultType":"scalar","result":[1,"NaN"]})") == "NaN");
  CHECK(number(R"({"resultType":"vector","result":[{"metric":{},"value":[1,"+Inf"]}]})") == "+Inf");
  CHECK(number(R"({"resultType":"vector","result":[]})") == "no series");
  CHECK(number(R"({"resultType":"matrix","result":[]})") == "no series");
}

TEST_CASE("several_series_a_text_and_a_histogram_are_no_number_and_what_would_be_is_said") {
  CHECK(number(R"({"resultType":"vector","result":[{"metric":{"a":"1"},"value":[1,"2"]},{"metric":{"a":"2"},"value":[1,"2"]}]})") ==
        "the answer has 2 series, expected one: sum(…), max(…) or the like makes one of them");
  CHECK(number(R"({"resultType":"string","result":[1,"text"]})") == "the answer is the text \"text\", expected a number");
  const std::string_view histogram =
      "the answer is a native histogram, expected a number: histogram_quantile(0.95, …) or histogram_count(…) makes one";
  CHECK(number(R"({"resultType":"vector","result":[{"metric":{},"histogram":[1,{"count":"3","sum":"4.5"}]}]})") == histogram);
  CHECK(number(R"({"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"]],"histograms":[[2,{"count":"3"}]]}]})") == histogram);
  CHECK(number(R"({"resultType":"matrix","result":[{"metric":{},"values":[[3,"2"]],"histograms":[[2,{"count":"3"}]]}]})") == "2.000000");
}

TEST_CASE("an_answer_of_another_shape_is_a_bad_one") {
  for (const std::string_view data :
       {R"([])", R"({})", R"({"resultType":"vector"})", R"({"resultType":"vector","result":{}})", R"({"resultType":"streams","result":[]})",
        R"({"resultType":"scalar","result":[]})", R"({"resultType":"scalar","result":[1,2]})",
        R"({"resultType":"scalar","result":[1,"x"]})", R"({"resultType":"vector","result":[1]})",
        R"({"resultType":"vector","result":[{"value":[1,"2"]}]})", R"({"resultType":"vector","result":[{"metric":{}}]})",
        R"({"resultType":"matrix","result":[{"metric":{},"values":[]}]})"}) {
    CAPTURE(data);
    const auto elements = elements_of(boost::json::parse(data));
    REQUIRE_FALSE(elements.has_value());
    CHECK(elements.error().why == reason::bad_answer);
  }
}
