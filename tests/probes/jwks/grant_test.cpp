#include "probes/jwks/grant.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace flipback;

namespace {

net::http_answer answer(unsigned status, std::string body) {
  net::http_answer made;
  made.status = status;
  made.body = std::move(body);
  return made;
}

net::failure refused(unsigned status, std::string body) {
  const std::vector<secret> hidden{secret("hunter2")};
  const auto token = jwks::token_in(answer(status, std::move(body)), "POST /token", hidden);
  REQUIRE_FALSE(token.has_value());
  return token.error();
}

}  // namespace

TEST_CASE("a_client_says_its_secret_form_encoded_in_the_header_or_in_the_body") {
  const jwks::client who{"the:client", secret("s/e c:r+e%t"), "openid api", ""};
  net::http_request basic;
  const auto hidden = jwks::ask_for_token(who, true, basic);
  CHECK(basic.method == "POST");
  CHECK(basic.body == "grant_type=client_credentials&scope=openid%20api");
  // base64 of "the%3Aclient:s%2Fe%20c%3Ar%2Be%25t" (RFC 6749, 2.3.1)
  CHECK(basic.headers.back() ==
        std::pair<std::string, std::string>("Authorization", "Basic dGhlJTNBY2xpZW50OnMlMkZlJTIwYyUzQXIlMkJlJTI1dA=="));
  CHECK(std::ranges::find(hidden, secret("dGhlJTNBY2xpZW50OnMlMkZlJTIwYyUzQXIlMkJlJTI1dA==")) != hidden.end());
  CHECK(std::ranges::find(hidden, who.password) != hidden.end());
  net::http_request post;
  jwks::ask_for_token(who, false, post);
  CHECK(post.body == "grant_type=client_credentials&scope=openid%20api&client_id=the%3Aclient&client_secret=s%2Fe%20c%3Ar%2Be%25t");
  CHECK(std::ranges::none_of(post.headers, [](const auto& h) { return h.first == "Authorization"; }));
}

TEST_CASE("a_token_is_taken_from_the_answer") {
  const auto token = jwks::token_in(answer(200, R"({"access_token":"a.b.c","token_type":"bearer","expires_in":300})"), "POST /token", {});
  REQUIRE(token.has_value());
  CHECK(token->reveal() == "a.b.c");
  CHECK(refused(200, R"({"token_type":"Bearer"})").says == "POST /token answered 200 without an access_token");
  CHECK(refused(200, R"({"access_token":"a.b.c","token_type":"hunter2"})").says ==
        "POST /token gave a token of type \"***\", expected Bearer");
  CHECK(refused(200, "<html>").says == "POST /token: the body is HTML or XML, expected JSON");
}

TEST_CASE("a_refusal_says_which_and_repeats_no_secret") {
  const auto wrong = refused(401, R"({"error":"unauthorized_client","error_description":"Invalid client hunter2"})");
  CHECK(wrong.why == reason::unauthorised);
  CHECK(wrong.says == "POST /token answered 401: unauthorized_client, \"Invalid client ***\"");
  CHECK(refused(400, R"({"error":"invalid_client"})").why == reason::unauthorised);
  CHECK(refused(400, R"({"error":"unauthorized_client"})").why == reason::forbidden);
  CHECK(refused(400, R"({"error":"invalid_scope"})").why == reason::bad_status);
  CHECK(refused(403, R"({"error":"access_denied","error_description":"Realm not enabled"})").why == reason::forbidden);
  CHECK(refused(404, R"({"error":"Realm does not exist"})").why == reason::absent);
  CHECK(refused(429, "").why == reason::limited);
  CHECK(refused(500, "oops").says == "POST /token answered 500, expected 200");
}
