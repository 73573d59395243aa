#include "probes/exposition/reader.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

using namespace flipback::exposition;

namespace {

/// Every item on a line of its own, then how it ended.
std::string read(std::string_view text, format f = format::prometheus) {
  reader r(text, f);
  std::string all;
  for (;;) {
    const auto more = r.next();
    if (!more) return all + to_string(more.error());
    if (!*more) return all + "end";
    const item& i = r.current();
    all += std::string(i.name) + (i.is_type ? " is " + std::string(i.type) : "");
    for (const label& l : i.labels) all += " " + std::string(l.name) + "=" + unescaped(l.value);
    if (!i.is_type) all += " " + std::to_string(i.value);
    all += "; ";
  }
}

}  // namespace

TEST_CASE("samples_come_with_their_labels_and_types") {
  CHECK(read("") == "end");
  CHECK(read("\n  \n# a comment\n#\n# HELP up Whether it is.\n# TYPE up gauge\nup 1\n") == "up is gauge; up 1.000000; end");
  CHECK(read("a{x=\"1\",y=\"2\"} 3\n") == "a x=1 y=2 3.000000; end");
  CHECK(read("a { x = \"1\" , } 3 1700000000000\n") == "a x=1 3.000000; end");
  CHECK(read("a{} 1\r\n\ta\t2\n") == "a 1.000000; a 2.000000; end");
  CHECK(read("job:x:rate5m 0.5\n_ 1\n") == "job:x:rate5m 0.500000; _ 1.000000; end");
}

TEST_CASE("label_values_are_unescaped_as_prometheus_does") {
  CHECK(read(R"(a{x="\\ \" \n \t",y="}#, ="} 1)"
             "\n") == "a x=\\ \" \n \\t y=}#, = 1.000000; end");
  CHECK(read("a{x=\"\xC3\xA9\"} 1\n") == "a x=\xC3\xA9 1.000000; end");
}

TEST_CASE("numbers_are_read_as_go_reads_them") {
  for (const auto& [text, value] : std::vector<std::pair<const char*, double>>{{"1", 1},
                                                                               {"-1.5e+02", -150},
                                                                               {"+Inf", HUGE_VAL},
                                                                               {"-Inf", -HUGE_VAL},
                                                                               {"inf", HUGE_VAL},
                                                                               {"+1", 1},
                                                                               {".5", 0.5},
                                                                               {"5.", 5},
                                                                               {"1e-400", 0}}) {
    CAPTURE(text);
    REQUIRE(number_in(text).has_value());
    CHECK(*number_in(text) == value);
  }
  CHECK(std::isnan(*number_in("NaN")));
  for (const char* text : {"", "+", "one", "1,5", "0x10", "1e400", "++1", "+-1", "1 "}) {
    CAPTURE(text);
    CHECK_FALSE(number_in(text).has_value());
  }
}

TEST_CASE("names_of_any_characters_stand_in_quotes_among_the_labels") {
  CHECK(read("{\"http.requests\",\"status code\"=\"200\"} 1\n") == "http.requests status code=200 1.000000; end");
  CHECK(read("# TYPE \"http.requests\" counter\n") == "http.requests is counter; end");
  CHECK(read("{x=\"1\"} 1\n") == "line 1, column 7: labels of a metric without a name");
  CHECK(read("a{\"b\"} 1\n") == "line 1, column 6: found } 1, expected =");
}

TEST_CASE("openmetrics_says_where_it_ends") {
  const auto f = format::openmetrics;
  CHECK(read("# TYPE a counter\na_total 1\n# EOF\n", f) == "a is counter; a_total 1.000000; end");
  CHECK(read("a_total 1\n# EOF", f) == "a_total 1.000000; end");
  CHECK(read("a_total 1\n", f) == "a_total 1.000000; line 2, column 1: the text is cut short: it has no # EOF");
  CHECK(read("# EOF\na 1\n", f) == "line 2, column 1: something stands after # EOF");
  CHECK(read("# EOF\na 1\n") == "a 1.000000; end");  // a comment in Prometheus' text
}

TEST_CASE("exemplars_and_timestamps_are_passed_over_and_must_be_right") {
  const auto f = format::openmetrics;
  CHECK(read("a_bucket{le=\"1\"} 3 # {trace_id=\"x\"} 0.7 1520879607.789\n# EOF\n", f) == "a_bucket le=1 3.000000; end");
  CHECK(read("a_total 3 1520879607.789 # {} 1\na_created 1.5e9\n# EOF\n", f) == "a_total 3.000000; a_created 1500000000.000000; end");
  CHECK(read("a 3 # x\n# EOF\n", f) == "line 1, column 7: found x, expected an exemplar's {");
  CHECK(read("a 3 # {x=\"1\"}\n# EOF\n", f) == "line 1, column 14: the line ends, expected an exemplar's value");
  CHECK(read("a 3 soon\n") == "line 1, column 5: found soon, expected a timestamp");
}

TEST_CASE("what_is_malformed_is_said_with_its_place") {
  const std::pair<const char*, const char*> rows[] = {
      {"a 1", "line 1, column 4: the text is cut short: its last line has no end"},
      {"a 1\nb{x=\"1", "a 1.000000; line 2, column 7: the line ends inside a text in quotes"},
      {"<!DOCTYPE html>\n", "line 1, column 1: found <!DOCTYPE html>, expected a metric's name"},
      {"{\"status\": \"up\"}\n", "line 1, column 10: found : \"up\"}, expected , or }"},
      {"a\n", "line 1, column 2: the line ends, expected a value"},
      {"a{\n", "line 1, column 3: the line ends, expected a label's name"},
      {"a{x}\n", "line 1, column 4: found }, expected ="},
      {"a{x=1} 1\n", "line 1, column 5: found 1} 1, expected \""},
      {"a{x=\"1\" y=\"2\"} 1\n", "line 1, column 9: found y=\"2\"} 1, expected , or }"},
      {"a{,} 1\n", "line 1, column 3: found ,} 1, expected a label's name"},
      {"a 1 2 3\n", "line 1, column 7: found 3, expected the line's end"},
      {"a-b 1\n", "line 1, column 2: found -b, expected a value"},
      {"1a 1\n", "line 1, column 1: found 1a 1, expected a metric's name"},
      {"# x\na{x=\"\xFF\"} 1\n", "line 2, column 6: a byte that is no UTF-8"},
      {"a{x=\"1\"\n", "line 1, column 8: the line ends, expected , or }"},
  };
  for (const auto& [text, says] : rows) {
    CAPTURE(text);
    CHECK(read(text) == says);
  }
}

TEST_CASE("everything_has_a_bound") {
  std::string many;
  for (std::size_t i = 0; i <= text_bounds{}.samples; ++i) many += "a 1\n";
  CHECK(read(many).ends_with("line 200001, column 1: more than 200000 samples"));
  std::string labels = "a{";
  for (std::size_t i = 0; i <= reader::most_labels; ++i) labels += "x=\"1\",";
  CHECK(read(labels + "} 1\n").ends_with(": more than 64 labels"));
  CHECK(read(std::string(text_bounds{}.bytes + 1, '\n')) == "line 1, column 1: it is longer than 16777216 bytes");
}

TEST_CASE("timestamps_are_seconds_in_either_format") {
  const auto time_of = [](std::string_view text, format f) {
    reader r(text, f);
    REQUIRE(r.next().value_or(false));
    return r.current().time;
  };
  CHECK(time_of("a 1 1795762000250\n", format::prometheus) == 1795762000.25);
  CHECK(time_of("a 1 1795762000.25\n# EOF\n", format::openmetrics) == 1795762000.25);
  CHECK(time_of("a 1 1795762000.25 # {x=\"y\"} 1 2\n# EOF\n", format::openmetrics) == 1795762000.25);
  CHECK_FALSE(time_of("a 1\n", format::prometheus).has_value());
}

TEST_CASE("a_name_may_stand_among_the_labels") {
  CHECK(read("{__name__=\"up\", job=\"api\"} 1 1795762000250\n") == "up job=api 1.000000; end");
  CHECK(read("{job=\"api\", __name__=\"up\"} 1\n") == "up job=api 1.000000; end");
  CHECK(read("{__name__=\"\"} 1\n") == "line 1, column 13: labels of a metric without a name");
}

TEST_CASE("the_bounds_of_a_text_are_the_callers") {
  const auto ends = [](text_bounds most) {
    reader r("a 1\nb 2\nc 3\n", format::prometheus, most);
    for (;;) {
      const auto more = r.next();
      if (!more) return to_string(more.error());
      if (!*more) return std::string("end");
    }
  };
  CHECK(ends({12, 3}) == "end");
  CHECK(ends({12, 2}) == "line 3, column 1: more than 2 samples");
  CHECK(ends({11, 3}) == "line 1, column 1: it is longer than 11 bytes");
}
