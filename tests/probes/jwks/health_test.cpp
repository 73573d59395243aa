#include "probes/jwks/health.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace flipback;

namespace {

std::string problem(unsigned status, std::string body) {
  net::http_answer answer;
  answer.status = status;
  answer.body = std::move(body);
  const auto ready = jwks::readiness(answer, "GET /health/ready");
  return ready ? "" : fmt::format("{}: {}", name_of(ready.error().why), ready.error().says);
}

}  // namespace

TEST_CASE("a_server_that_is_up_is_ready") {
  CHECK(problem(200, R"({"status":"UP","checks":[]})").empty());
  CHECK(problem(200, R"({"status":"UP","checks":[{"name":"the database","status":"UP"}]})").empty());
}

TEST_CASE("what_is_down_is_named") {
  CHECK(problem(503, R"({"status":"DOWN","checks":[{"name":"the cluster","status":"UP"},{"name":"the database","status":"DOWN",)"
                     R"("data":{"Failing since":"2026-11-24 03:48:52,334"}}]})") ==
        "expectation: its readiness is DOWN: \"the database\" since 2026-11-24 03:48:52,334");
  CHECK(problem(503, R"({"status":"DOWN","checks":[]})") == "expectation: its readiness is DOWN");
  CHECK(problem(200, R"({"status":"DOWN","checks":[7]})") == "expectation: its readiness is DOWN: \"a check without a name\"");
}

TEST_CASE("what_is_no_readiness_is_said_so") {
  CHECK(problem(503, "<html>no upstream</html>") == "bad status: GET /health/ready answered 503, expected 200");
  CHECK(problem(404, R"({"error":"Unable to find matching target resource method"})")
            .starts_with("absent: GET /health/ready answered 404: health is on "));
  CHECK(problem(200, "{}") == "bad answer: GET /health/ready answered JSON without status");
  CHECK(problem(200, "<html>") == "bad answer: GET /health/ready: the body is HTML or XML, expected JSON");
}
