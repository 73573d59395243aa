#include "probes/journey/step.hpp"

#include "agent/config/toml.hpp"

#include <doctest/doctest.h>

using namespace flipback;

namespace {

/// The first request of these steps, as "METHOD target type body", once every captured value is "C&A".
std::string request(std::string_view steps, std::size_t which = 0) {
  settings::diagnostics problems;
  const settings::node document = config::parse_toml(steps, "x.toml", problems);
  settings::section root(document, "", problems);
  net::http_request base;
  base.to = *net::parse_url("http://api.test/base");
  std::vector<secret> hidden;
  const auto read = journey::read_steps(root, base, hidden);
  for (const settings::problem& p : problems.sorted()) FAIL(to_string(p));
  const net::http_request made = journey::request_of(read.at(which), {{"c", "C&A"}});
  std::string type;
  for (const auto& [name, value] : made.headers) type += name == "Content-Type" ? value : "";
  return made.method + " " + made.to.target + " " + type + " " + made.body;
}

/// What a step that captures `{ c = where }` takes from an answer, or why it does not.
std::string captured_from(const std::string& where, std::string body) {
  journey::step s;
  s.captures.emplace_back("c", where.starts_with('/') ? identity_source{{}, where} : identity_source{where, {}});
  net::http_answer answer;
  answer.status = 200;
  answer.body = std::move(body);
  answer.headers = {{"X-Token", "from the header"}};
  const auto taken = journey::taken_by(s, answer);
  return taken ? taken->at("c") : std::string(name_of(taken.error().why)) + ": " + taken.error().says;
}

}  // namespace

TEST_CASE("a_form_is_urlencoded_in_the_order_of_the_file") {
  CHECK(request(R"([[steps]]
name = "token"
path = "/token"
form = { username = "test@example.com", password = "a&b=c d", scope = "" })") ==
        "POST /base/token application/x-www-form-urlencoded username=test%40example.com&password=a%26b%3Dc%20d&scope=");
}

TEST_CASE("json_keeps_the_kinds_of_toml") {
  CHECK(request(R"([[steps]]
name = "search"
path = "/search"
json = { text = "say \"x\"", limit = 5, exact = true, weight = 0.5, vector = [0.1, 2], in = { a = "b" } })") ==
        R"(POST /base/search application/json {"text":"say \"x\"","limit":5,"exact":true,"weight":5E-1,"vector":[1E-1,2],"in":{"a":"b"}})");
}

TEST_CASE("captured_values_go_into_path_form_json_and_body") {
  const std::string first =
      "[[steps]]\nname = \"one\"\npath = \"/\"\ncapture = { c = \"/c\" }\n[[steps]]\nname = \"two\"\npath = \"/{c}\"\n";
  CHECK(request(first, 1) == "GET /base/C%26A  ");
  CHECK(request(first + "form = { a = \"{c}\" }", 1) == "POST /base/C%26A application/x-www-form-urlencoded a=C%26A");
  CHECK(request(first + "json = { a = \"{c}\", b = [\"{c}\"] }", 1) == R"(POST /base/C%26A application/json {"a":"C&A","b":["C&A"]})");
  CHECK(request(first + "method = \"PUT\"\nbody = '{\"a\": \"{c}\"}'", 1) == R"(PUT /base/C%26A  {"a": "C&A"})");
}

TEST_CASE("a_step_may_go_elsewhere") {
  CHECK(request("[[steps]]\nname = \"one\"\nurl = \"https://sso.test/realms/x?y\"") == "GET /realms/x?y  ");
}

TEST_CASE("what_is_captured_is_text_or_a_number_that_is_there") {
  CHECK(captured_from("/access_token", R"({"access_token": "abc"})") == "abc");
  CHECK(captured_from("/id", R"({"id": 17})") == "17");
  CHECK(captured_from("X-Token", "") == "from the header");
  CHECK(captured_from("X-Gone", "") == "expectation: the header X-Gone is not there, where c is captured");
  CHECK(captured_from("/access_token", "{}") == "expectation: /access_token is not there, where c is captured");
  CHECK(captured_from("/access_token", R"({"access_token": null})") == "expectation: /access_token is not there, where c is captured");
  CHECK(captured_from("/access_token", R"({"access_token": ""})") == "expectation: /access_token is empty, where c is captured");
  CHECK(captured_from("/access_token", R"({"access_token": {}})") ==
        "expectation: /access_token is an object or an array, where c is captured");
  CHECK(captured_from("/access_token", R"({"access_token": "a\r\nEvil: 1"})") ==
        "expectation: /access_token has a control character in it, where c is captured");
  CHECK(captured_from("/access_token", "<html>") == "bad answer: the body is HTML or XML, expected JSON");
}
