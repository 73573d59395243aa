#include "probes/prometheus/api.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace flipback;

namespace {

net::result<prometheus::reply> read(unsigned status, std::string body) {
  static const std::array hidden{secret("hunter2")};
  net::http_answer answer;
  answer.status = status;
  answer.body = std::move(body);
  return prometheus::read_reply(answer, "the query", hidden);
}

/// The reason and the sentence of an answer that is refused.
std::string refused(unsigned status, std::string body) {
  const auto found = read(status, std::move(body));
  REQUIRE_FALSE(found.has_value());
  return std::string(name_of(found.error().why)) + ": " + found.error().says;
}

}  // namespace

TEST_CASE("the_data_of_an_envelope_is_given_with_its_warnings") {
  CHECK(read(200, R"({"status":"success","data":[1]})")->warnings.empty());
  CHECK(read(200, R"({"status":"success","data":{},"warnings":["remote_read: refused, hunter2"]})")->warnings ==
        std::vector<std::string>{"remote_read: refused, ***"});
  CHECK(read(200, R"({"status":"success","data":{},"isPartial":true})")->warnings == std::vector<std::string>{"the answer is partial"});
  CHECK(read(200, R"({"status":"success","data":{},"isPartial":false})")->warnings.empty());
}

TEST_CASE("remarks_on_a_query_say_nothing_of_its_data") {
  CHECK(read(200, R"({"status":"success","data":{},"infos":["metric might not be a counter"]})")->warnings.empty());
  CHECK(read(200, R"({"status":"success","data":{},"warnings":["PromQL info: metric might not be a counter"]})")->warnings.empty());
  CHECK(read(200, R"({"status":"success","data":{},"warnings":["PromQL warning: a mix of histograms and floats"]})")->warnings.size() == 1);
}

TEST_CASE("an_error_says_what_the_server_says_without_secrets") {
  CHECK(refused(400, R"({"status":"error","errorType":"bad_data","error":"parse error near hunter2"})") ==
        "bad status: the query was refused (400 bad_data): parse error near ***");
  CHECK(refused(422, R"({"status":"error","errorType":"execution","error":"too many samples"})") ==
        "bad status: the query was refused (422 execution): too many samples");
  CHECK(refused(503, R"({"status":"error","errorType":"timeout","error":"query timed out in query execution"})") ==
        "timed out: the query: Prometheus gave up: query timed out in query execution");
  CHECK(refused(401, R"({"status":"error"})") == "unauthorised: the query was refused (401 ): nothing more");
}

TEST_CASE("a_server_that_is_not_ready_is_starting_and_a_proxy_without_it_is_not") {
  CHECK(refused(503, "Service Unavailable").starts_with("starting: "));
  CHECK(refused(503, "<html>503 Service Temporarily Unavailable</html>") == "bad status: the query answered 503, expected 200");
}

TEST_CASE("what_is_no_envelope_is_a_bad_answer") {
  CHECK(refused(200, "[]").starts_with("bad answer: "));
  CHECK(refused(200, R"({"status":"success"})").starts_with("bad answer: "));
  CHECK(refused(200, R"({"data":{}})").starts_with("bad answer: "));
  CHECK(refused(200, "ok").starts_with("bad answer: the query: "));
  CHECK(refused(404, "404 page not found") == "bad status: the query answered 404, expected 200");
}
