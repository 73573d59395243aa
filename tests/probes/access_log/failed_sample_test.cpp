#include "probes/access_log/failed_sample.hpp"

#include "probes/access_log/error_memory.hpp"
#include "probes/access_log/traffic.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace flipback;
using namespace flipback::access_log;
using namespace std::chrono_literals;

namespace {

failed_sample::one numbered(int number) {
  return {{"GET", fmt::format("/{}", number), 500, ""}, static_cast<double>(number)};
}

traffic reading(std::string_view format) {
  return {*line_format::from_text(format), {}, 1.0, {}};
}

}  // namespace

TEST_CASE("each_failed_request_has_the_same_chance_to_be_kept") {
  std::minstd_rand chance;
  double sum = 0;
  int kept = 0;
  for (int round = 0; round < 200; ++round) {
    failed_sample much;
    failed_sample little;
    for (int i = 0; i < 900; ++i) much.add(numbered(0), chance);
    for (int i = 0; i < 100; ++i) little.add(numbered(1), chance);
    much.merge(little, chance);
    REQUIRE(much.kept().size() == failed_sample::most);
    for (const auto& one : much.kept()) sum += one.began;
    kept += static_cast<int>(much.kept().size());
  }
  CHECK(sum / kept > 0.07);
  CHECK(sum / kept < 0.13);
}

TEST_CASE("few_are_all_kept") {
  std::minstd_rand chance;
  failed_sample a;
  failed_sample b;
  a.merge(b, chance);
  CHECK(a.kept().empty());
  for (int i = 0; i < 10; ++i) (i % 2 == 0 ? a : b).add(numbered(i), chance);
  a.merge(b, chance);
  CHECK(a.kept().size() == 10);
}

TEST_CASE("a_failed_request_is_kept_with_its_query_where_the_log_has_it") {
  struct row {
    const char* name;
    const char* format;
    const char* line;
    const char* target;
  };
  const row rows[] = {
      {"request line", R"($msec $status $request_time "$request")", R"(1000.5 500 0.5 "GET /a?b=c&d HTTP/1.1")", "/a?b=c&d"},
      {"no query", R"($msec $status $request_time "$request")", R"(1000.5 500 0.5 "GET /a HTTP/1.1")", "/a"},
      {"address", R"($msec $status $request_time $request_method "$request_uri")", R"(1000.5 500 0.5 GET "/a?b")", "/a?b"},
      {"an escaped query", R"($msec $status $request_time "$request")", R"(1000.5 500 0.5 "GET /a?b=\x22 HTTP/1.1")", "/a"},
      {"JSON", R"({"t":"$msec","s":"$status","r":"$request_time","m":"$request_method","u":"$request_uri"})",
       R"({"t":"1000.5","s":"500","r":"0.5","m":"GET","u":"/a?b"})", "/a?b"},
  };
  for (const row& r : rows) {
    CAPTURE(r.name);
    traffic t = reading(r.format);
    t.add(r.line);
    const pool p = t.take();
    CHECK(p.safe_errors == 1);
    REQUIRE(p.failed.kept().size() == 1);
    const failed_sample::one& one = p.failed.kept().front();
    CHECK(one.request.target == r.target);
    CHECK(one.request.method == "GET");
    CHECK(one.request.status == 500);
    CHECK(one.began == doctest::Approx(1000));
  }
}

TEST_CASE("only_requests_that_began_since_then_are_given") {
  traffic t = reading(R"($msec $status $request_time "$request" $remote_addr)");
  t.add(R"(1000.5 500 0.5 "GET /early HTTP/1.1" 10.0.0.7)");
  t.add(R"(1005.5 500 0.5 "GET /late HTTP/1.1" 10.0.0.7)");
  t.add(R"(1005.5 500 0.5 "POST /late HTTP/1.1" 10.0.0.7)");
  error_memory memory;
  const instant at{50s};
  memory.add(t.take(), at, 1006);
  CHECK(memory.since(at - 100s).sample.size() == 3);
  CHECK(memory.since(at - 100s).errors == 3);
  CHECK(memory.since(at - 100s).safe_errors == 2);
  const auto late = memory.since(at - 2s).sample;
  REQUIRE(late.size() == 2);
  CHECK(late[0].client == "10.0.0.7");
  CHECK(memory.since(at).sample.empty());
}
