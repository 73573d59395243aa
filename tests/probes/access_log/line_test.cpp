#include "probes/access_log/line.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace flipback::access_log;

namespace {

/// What the fields are in a line of the recommended keys, by name; "no" where it is no such line.
std::string read(std::string_view text) {
  line_reader reader(recommended_keys());
  line l;
  if (!reader.read(text, l)) return "no";
  std::string all;
  for (std::size_t i = 0; i < field_count; ++i) {
    if (!l.values[i].empty()) all += fmt::format("{}={};", name_of(static_cast<field>(i)), l.values[i]);
  }
  return all;
}

}  // namespace

TEST_CASE("values_without_quotes_may_be_lists_or_nothing") {
  CHECK(read(R"({"status":502,"upstream_status":502, 200 : 200,"response_time":0.001, 0.002,"path":"/a"})") ==
        "status=502;path=/a;upstream_status=502, 200 : 200;response_time=0.001, 0.002;");
  CHECK(read(R"({"status": 301, "upstream_status": , "response_time":-, "header_time": })") == "status=301;");
  CHECK(read(R"({ "status":000, "response_time":0.5 , 0.1 } )") == "status=000;response_time=0.5 , 0.1;");
  CHECK(read(R"({"upstream":10.0.0.1:80, 10.0.0.2:80,"status":200})") == "status=200;upstream=10.0.0.1:80, 10.0.0.2:80;");
}

TEST_CASE("a_client_ends_no_value_without_quotes") {
  CHECK(read(R"({"agent":x,\"status\":500,"status":200})") == R"(status=200;agent=x,\"status\":500;)");
  CHECK(read(R"({"agent":x},\"status\":500},"status":200})") == R"(status=200;agent=x},\"status\":500};)");
  CHECK(read(R"({"agent":x\\,"status":200})") == R"(status=200;agent=x\\;)");
  CHECK(read(R"({"agent":x"y,"status":200})") == "no");
}

TEST_CASE("what_is_nested_is_passed_over") {
  CHECK(read(R"({"tags":["nginx","a]"],"http":{"status":500,"x":{"y":"}"}},"status":200})") == "status=200;");
  CHECK(read(R"({"status":200,"list":[1, 2]})") == "status=200;");
  for (const char* text : {R"({"status":200,"list":[1, 2})", R"({"status":200,"list":{"a":"b})", R"({"status":200,"list":[)"})
    CHECK(read(text) == "no");
}

TEST_CASE("a_line_that_is_cut_short_is_none") {
  const std::string whole = R"({"status":200,"upstream_status":200, 200,"tags":["a"],"path":"/a"})";
  REQUIRE(read(whole) != "no");
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK(read(whole.substr(0, size)) == "no");
}
