#include "../a_letter.hpp"
#include "receiver.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::notify;
namespace json = boost::json;
using texts = std::vector<std::string>;

namespace {

/// What is posted of a letter with this body.
std::string posted(std::string_view body, const letter& what) {
  receiver to({{}});
  CHECK(to.deliver("webhook", "url = \"{url}\"\nbody = '" + std::string(body) + "'", what).is == attempt::result::delivered);
  return to.requests().at(0).body;
}

}  // namespace

TEST_CASE("a_webhook_gets_the_letter_as_json_and_its_id_as_the_key_that_tells_a_second_delivery") {
  receiver to({{204, ""}});
  const attempt came =
      to.deliver("webhook", "url = \"{url}/in?sig=s3cr3t\"\ntoken = \"hunter22\"\nheaders = { X-Team = \"ops\" }", an_incident());
  CHECK(came.is == attempt::result::delivered);
  CHECK(came.says == "");
  const asked& got = to.requests().at(0);
  CHECK(got.method == "POST");
  CHECK(got.target == "/in?sig=s3cr3t");
  CHECK(got.header("Idempotency-Key") == "20261127T090411.791Z/1");
  CHECK(got.header("Content-Type") == "application/json");
  CHECK(got.header("Authorization") == "Bearer hunter22");
  CHECK(got.header("X-Team") == "ops");
  json::object body = got.json().as_object();
  CHECK(body["text"] == json::value(as_text(an_incident())));
  body.erase("text");
  CHECK(letter_in(body) == an_incident());
}

TEST_CASE("a_body_of_ones_own_has_json_in_its_places") {
  letter what = an_incident();
  what.title = "a \"quoted\" \\ title";
  CHECK(posted(R"({"text": {{title}}, "n": {{ number }}, "ill": {{ill}}, "yes": {{reminds}}})", what) ==
        R"({"text": "a \"quoted\" \\ title", "n": 1, "ill": ["redis: connecting to 127.0.0.1:6379 was refused"], "yes": false})");
  CHECK(posted(R"x({"text": "{{severity}}: {{title}} ({{number}})", "tail": "a \" {{live}}"})x", what) ==
        R"x({"text": "critical: a \"quoted\" \\ title (1)", "tail": "a \" blue"})x");
  CHECK(posted("{{id}}", what) == R"("20261127T090411.791Z/1")");
}

TEST_CASE("a_body_that_becomes_no_json_is_an_error_with_its_place") {
  const auto problem = [](const std::string& body) {
    const texts found = problems("webhook", "url = \"http://127.0.0.1/x\"\nbody = '''" + body + "'''");
    REQUIRE(found.size() == 1);
    return found.front();
  };
  CHECK(problem("{\"text\": {{titel}}}") == "2:8: notify.x.body: in its line 1, column 10: {{titel}} is no place; did you mean {{title}}?");
  CHECK(problem("{\n  \"é\": {{xyzzy}}}")
            .starts_with("2:8: notify.x.body: in its line 2, column 8: {{xyzzy}} is no place; they are id, matter,"));
  CHECK(problem("{\"text\": \"{{news}}\"}") ==
        "2:8: notify.x.body: in its line 1, column 11: {{news}} is a list, which can't stand inside of a string");
  CHECK(problem("{\"text\": {{title}} {{id}}}").starts_with("2:8: notify.x.body: in its line 1, column 20: is no JSON from here on: "));
  CHECK(problem("{\"text\" {{title}}}").starts_with("2:8: notify.x.body: in its line 1, column 9: is no JSON from here on: "));
  CHECK(problem("{{title}}{{id}}").starts_with("2:8: notify.x.body: in its line 1, column 10: is no JSON from here on: "));
  CHECK(problem("[1,}").starts_with("2:8: notify.x.body: in its line 1, column 4: is no JSON from here on: "));
  CHECK(problem("{\"text\": {{title}}") == "2:8: notify.x.body: in its line 1, column 19: is no JSON: it is cut short");
  CHECK(problem("{\"text\": {{title") == "2:8: notify.x.body: in its line 1, column 10: {{ begins a place, and no name and }} follow");
  CHECK(problem("") == "2:8: notify.x.body: in its line 1, column 1: is no JSON: it is cut short");
}

TEST_CASE("an_answer_says_what_becomes_of_the_letter") {
  using enum attempt::result;
  const auto came = [](unsigned status, std::string headers = "") {
    receiver to({{status, "no", std::move(headers)}});
    return to.deliver("webhook", "url = \"{url}\"", an_incident());
  };
  for (const unsigned status : {200U, 201U, 202U, 204U}) CHECK(came(status).is == delivered);
  for (const unsigned status : {301U, 401U, 403U, 404U, 407U, 408U, 410U, 425U, 429U, 500U, 502U, 503U, 504U})
    CHECK(came(status).is == not_yet);
  for (const unsigned status : {400U, 405U, 409U, 413U, 415U, 422U}) CHECK(came(status).is == refused);
  CHECK(came(503, "Retry-After: 7\r\n").after == std::chrono::seconds(7));
  CHECK(came(429, "Retry-After: 86400\r\n").after == std::chrono::hours(1));
  CHECK(came(503).after == std::nullopt);
  receiver gone({});
  const attempt closed = gone.deliver("webhook", "url = \"{url}\"", an_incident());
  CHECK(closed.is == not_yet);
  CHECK(closed.says.starts_with(gone.address() + ": "));
}

TEST_CASE("what_a_server_answers_is_told_without_what_is_secret") {
  receiver to({{400, "no hook at /services/T0/s3cr3t-part; token hunter22\nsecond line"}});
  const attempt came = to.deliver("webhook", "url = \"{url}/services/T0/s3cr3t-part\"\ntoken = \"hunter22\"", an_incident());
  CHECK(came.says == to.address() + " answered 400, expected 2xx; it says \"no hook at ***; token *** second line\"");
}

TEST_CASE("keys_of_a_webhook_that_are_wrong_are_told_without_its_address") {
  CHECK(problems("webhook", "") ==
        texts{"1:1: notify.x.url: is missing, expected a string such as \"https://hooks.example.com/flipback\""});
  CHECK(problems("webhook", "url = \"\"") ==
        texts{"1:7: notify.x.url: is empty, expected a string such as \"https://hooks.example.com/flipback\""});
  const texts no_http = problems("webhook", "url = \"ftp://x/s3cr3t\"");
  REQUIRE(no_http.size() == 1);
  CHECK(no_http.front().starts_with("1:7: notify.x.url: found an address, which "));
  CHECK_FALSE(no_http.front().contains("s3cr3t"));
  CHECK(problems("webhook", "url = \"http://127.0.0.1/x\"\nheaders = { idempotency-key = \"x\" }\nmethod = \"PUT\"").size() == 2);
}
