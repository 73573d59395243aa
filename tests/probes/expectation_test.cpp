#include "probes/expectation.hpp"

#include "agent/config/environment.hpp"
#include "agent/config/toml.hpp"
#include "probes/identity.hpp"

#include <doctest/doctest.h>

using namespace flipback;

namespace {

/// What is wrong with an answer, as "reason: sentence"; empty: nothing.
std::string unmet(std::string_view expect, const net::http_answer& answer, const std::vector<secret>& hidden = {}) {
  settings::diagnostics problems;
  settings::node document = config::parse_toml("expect = " + std::string(expect), "x.toml", problems);
  config::interpolate(document, "", {{{"LIMIT", "5"}, {"YES", "true"}}, {}, {}}, problems);
  settings::section root(document, "", problems);
  const expectation read = read_expectation(root, "expect");
  for (const settings::problem& p : problems.sorted()) FAIL(to_string(p));
  const auto found = first_unmet(read, answer, hidden);
  return found ? std::string(name_of(found->why)) + ": " + found->says : "";
}

net::http_answer answer(std::string body, unsigned status = 200) {
  net::http_answer made;
  made.status = status;
  made.headers = {{"X-Release", "v1.2"}, {"X-Queue", "17"}, {"Location", "https://sso.test/login?token=hunter2"}};
  made.body = std::move(body);
  return made;
}

const std::string checks =
    R"({"status": "healthy", "lag": 7, "ratio": 0.5, "late": "12.5", "ok": true, "none": null, "names": ["a", "b"], "in": {}})";

}  // namespace

TEST_CASE("a_limit_may_come_from_the_environment") {
  CHECK(unmet(R"({ "/ratio" = { below = "${LIMIT}" } })", answer(checks)).empty());
  CHECK(unmet(R"({ "/lag" = { below = "${LIMIT}" } })", answer(checks)) == "expectation: /lag is 7, expected below \"${LIMIT}\"");
  CHECK(unmet(R"({ "/lag" = { present = "${YES}" } })", answer(checks)).empty());
}

TEST_CASE("a_status_is_held_against_one_or_a_range") {
  CHECK(unmet("200", answer("")).empty());
  CHECK(unmet("\"2xx\"", answer("", 204)).empty());
  CHECK(unmet("\"200-204\"", answer("", 205)) == "bad status: answered 205, expected 200 to 204");
  CHECK(unmet("200", answer("", 302)) == "bad status: answered 302 (to https://sso.test/login), expected 200");
  CHECK(unmet("200", answer("", 401)) == "unauthorised: answered 401, expected 200");
  CHECK(unmet("200", answer("", 429)) == "limited: answered 429, expected 200: a rate limit says nothing about how well it is");
  CHECK(unmet("429", answer("", 429)).empty());
}

TEST_CASE("values_under_pointers_are_equal_by_value_and_kind") {
  CHECK(unmet(R"({ "/status" = "healthy", "/lag" = 7, "/ratio" = 0.5, "/ok" = true, "/names/1" = "b" })", answer(checks)).empty());
  CHECK(unmet(R"({ "/lag" = 7.0 })", answer(checks)).empty());
  CHECK(unmet(R"({ "/status" = "sick" })", answer(checks)) == R"(expectation: /status is "healthy", expected "sick")");
  CHECK(unmet(R"({ "/lag" = "7" })", answer(checks)) == R"(expectation: /lag is 7, expected "7")");
  CHECK(unmet(R"({ "/gone" = 1 })", answer(checks)) == "expectation: /gone is not there, expected 1");
  CHECK(unmet(R"({ "/in" = 1 })", answer(checks)) == "expectation: /in is an object, expected 1");
  CHECK(unmet(R"({ "/names" = "a" })", answer(checks)) == R"(expectation: /names is an array of 2, expected "a")");
  CHECK(unmet(R"({ "/status" = "healthy" })", answer("<html>")) == "bad answer: answered 200, but the body is HTML or XML, expected JSON");
}

TEST_CASE("values_are_compared") {
  CHECK(unmet(R"({ "/lag" = { at_least = 7, at_most = 7, above = 6, below = 7.5, not = 8 } })", answer(checks)).empty());
  CHECK(unmet(R"({ "/lag" = { below = 7 } })", answer(checks)) == "expectation: /lag is 7, expected below 7");
  CHECK(unmet(R"({ "/lag" = { above = 7 } })", answer(checks)) == "expectation: /lag is 7, expected above 7");
  CHECK(unmet(R"({ "/lag" = { at_least = 8 } })", answer(checks)) == "expectation: /lag is 7, expected at least 8");
  CHECK(unmet(R"({ "/lag" = { at_most = 6 } })", answer(checks)) == "expectation: /lag is 7, expected at most 6");
  CHECK(unmet(R"({ "/lag" = { not = 7 } })", answer(checks)) == "expectation: /lag is 7, expected anything else than 7");
  CHECK(unmet(R"({ "/late" = { below = 13 } })", answer(checks)).empty());  // a number, though written as text
  CHECK(unmet(R"({ "/status" = { below = 13 } })", answer(checks)) == R"(expectation: /status is "healthy", expected below 13)");
  CHECK(unmet(R"({ "/gone" = { not = 7 } })", answer(checks)) == "expectation: /gone is not there, expected anything else than 7");
  CHECK(unmet(R"({ "/none" = { below = 7 } })", answer(checks)) == "expectation: /none is null, expected below 7");
}

TEST_CASE("text_and_lists_contain_and_lack") {
  CHECK(unmet(R"({ "/status" = { contains = "heal", lacks = "sick" }, "/names" = { contains = "b", lacks = "c" } })", answer(checks))
            .empty());
  CHECK(unmet(R"({ "/names" = { contains = "c" } })", answer(checks)) ==
        R"(expectation: /names is an array of 2, expected it to contain "c")");
  CHECK(unmet(R"({ "/status" = { lacks = "heal" } })", answer(checks)) ==
        R"(expectation: /status is "healthy", expected it not to contain "heal")");
}

TEST_CASE("a_field_is_there_or_not") {
  CHECK(
      unmet(R"({ "/status" = { present = true }, "/gone" = { present = false }, "/none" = { present = false } })", answer(checks)).empty());
  CHECK(unmet(R"({ "/gone" = { present = true } })", answer(checks)) == "expectation: /gone is not there, expected it to be there");
  CHECK(unmet(R"({ "/lag" = { present = false } })", answer(checks)) == "expectation: /lag is 7, expected it not to be there");
}

TEST_CASE("headers_are_text") {
  CHECK(unmet(R"({ "header:x-release" = "v1.2", "header:X-Queue" = { below = 20 }, "header:X-Gone" = { present = false } })", answer(""))
            .empty());
  CHECK(unmet(R"({ "header:X-Release" = "v1.3" })", answer("")) == R"(expectation: the header X-Release is "v1.2", expected "v1.3")");
  CHECK(unmet(R"({ "header:X-Gone" = "v1.3" })", answer("")) == R"(expectation: the header X-Gone is not there, expected "v1.3")");
}

TEST_CASE("a_body_is_searched_and_not_shown") {
  CHECK(unmet(R"({ body = "ready" })", answer("all ready\n")).empty());
  CHECK(unmet(R"({ body = { contains = "ready", lacks = "not" } })", answer("all ready\n")).empty());
  CHECK(unmet(R"({ body = "ready" })", answer("hunter2")) == R"(expectation: the body does not contain "ready")");
  CHECK(unmet(R"({ body = { lacks = "not" } })", answer("not ready")) == R"(expectation: the body contains "not")");
}

TEST_CASE("what_was_sent_is_not_shown") {
  const std::vector<secret> hidden{secret("hunter2")};
  CHECK(unmet(R"({ "/status" = "healthy" })", answer(R"({"status": "no hunter2 here"})"), hidden) ==
        R"(expectation: /status is "no *** here", expected "healthy")");
}

TEST_CASE("json_may_begin_with_a_byte_order_mark") {
  CHECK(unmet(R"({ "/status" = "healthy" })", answer("\xef\xbb\xbf" + checks)).empty());
  CHECK(identity_of({{}, "/status"}, answer("\xef\xbb\xbf" + checks)) == "healthy");
}

TEST_CASE("a_compressed_body_is_said_to_be_one") {
  const net::http_answer compressed = answer("\x1f\x8b\x08\x03rest");
  CHECK(unmet(R"({ "/status" = "healthy" })", compressed) ==
        "bad answer: answered 200, but the body is compressed with gzip, which we did not ask for; expected JSON");
  CHECK(unmet(R"({ body = "healthy" })", compressed) ==
        "expectation: the body does not contain \"healthy\": the body is compressed with gzip, which we did not ask for");
  CHECK(unmet("200", compressed).empty());
  CHECK(lacking_in({{}, "/version"}, compressed) == "no /version, since the body is compressed with gzip, which we did not ask for");
}
