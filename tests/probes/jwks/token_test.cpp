#include "probes/jwks/token.hpp"

#include "flipback/base64.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

using namespace flipback;

namespace {

std::string base64url(std::string_view text) {
  std::string made = to_base64(text);
  while (made.ends_with('=')) made.pop_back();
  std::ranges::replace(made, '+', '-');
  std::ranges::replace(made, '/', '_');
  return made;
}

std::string token_of(std::string_view header, std::string_view claims = R"({"iss":"joe"})") {
  return fmt::format("{}.{}.{}", base64url(header), base64url(claims), base64url("a signature"));
}

std::string wrong(const std::string& text) {
  const auto read = jwks::decode(text);
  return read ? "" : read.error().says;
}

// RFC 7515, A.3.1.
const std::string p256 =
    R"("kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")";
const std::string signed_by_it =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const std::string ed25519 = R"({"kid":"o","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

jwks::key_set set_of(const std::string& keys) {
  auto set = jwks::parse(net::parse_json(fmt::format(R"({{"keys":[{}]}})", keys)));
  REQUIRE_MESSAGE(set.has_value(), set.error());
  return std::move(*set);
}

std::string key_problem(const std::string& token, const jwks::key_set& set) {
  const auto read = jwks::decode(token);
  REQUIRE_MESSAGE(read.has_value(), read.error().says);
  const auto key = jwks::key_for(*read, set);
  return key ? "" : fmt::format("{}: {}", name_of(key.error().why), key.error().says);
}

std::string claim_problem(std::string_view claims, double now = 1000, std::string audience = "") {
  const auto found = jwks::first_wrong(boost::json::parse(claims), {"https://sso.test/realms/main", std::move(audience), now});
  if (!found) return "";
  CHECK(found->why == reason::expectation);
  return found->says;
}

std::string claims(std::string_view more) {
  return fmt::format(R"({{"iss":"https://sso.test/realms/main"{}{}}})", more.empty() ? "" : ",", more);
}

}  // namespace

TEST_CASE("a_token_is_taken_apart_and_found_to_be_signed") {
  const auto read = jwks::decode(signed_by_it);
  REQUIRE(read.has_value());
  CHECK(read->algorithm == "ES256");
  CHECK_FALSE(read->key_id.has_value());
  CHECK(net::text_at(read->claims, "/iss") == "joe");
  const auto set = set_of(fmt::format(R"({{"kid":"e",{}}})", p256));
  const auto key = jwks::key_for(*read, set);
  REQUIRE(key.has_value());
  CHECK(jwks::is_signed_by(*read, **key));
}

TEST_CASE("a_forged_token_is_not_signed") {
  const auto set = set_of(fmt::format(R"({{"kid":"e",{}}})", p256));
  const std::size_t dot = signed_by_it.rfind('.');
  const std::string forged = "eyJhbGciOiJFUzI1NiJ9." + base64url(R"({"iss":"eve","exp":9999999999})") + signed_by_it.substr(dot);
  const auto read = jwks::decode(forged);
  REQUIRE(read.has_value());
  CHECK_FALSE(jwks::is_signed_by(*read, set.keys.front()));
  const auto unsigned_one = jwks::decode(signed_by_it.substr(0, dot + 1));
  REQUIRE(unsigned_one.has_value());
  CHECK_FALSE(jwks::is_signed_by(*unsigned_one, set.keys.front()));
}

TEST_CASE("what_is_no_signed_token_is_said_so") {
  CHECK(wrong("") == "the token is no JWT: expected header.claims.signature");
  CHECK(wrong("8d2c0e5f-opaque") == "the token is no JWT: expected header.claims.signature");
  CHECK(wrong("a.b.c.d") == "the token is no JWT: expected header.claims.signature");
  CHECK(wrong("a.b.c.d.e") == "the token is encrypted (a JWE), expected a signed one");
  CHECK(wrong("a.b.c.d.e.f.g") == "the token is no JWT: expected header.claims.signature");
  CHECK(wrong("..") == "the token is no JWT: its header is not JSON in base64url");
  CHECK(wrong(signed_by_it.substr(5)) == "the token is no JWT: its header is not JSON in base64url");
  CHECK(wrong(token_of("[]")) == "the token is no JWT: its header is not JSON in base64url");
  CHECK(wrong(token_of("{}")) == "the token has a header without alg");
  CHECK(wrong(token_of(R"({"alg":7})")) == "the token has a header without alg");
  CHECK(wrong(token_of(R"({"alg":"RS256","crit":["exp"]})")) == "the token has a header with crit, which we don't know");
  CHECK(wrong(token_of(R"({"alg":"RS256"})", "joe")) == "the token has claims that are not JSON in base64url");
  CHECK(wrong(token_of(R"({"alg":"RS256"})") + "=") == "the token has a signature that is not in base64url");
  for (std::size_t size = 0; size < signed_by_it.rfind('.'); ++size) CHECK_FALSE(wrong(signed_by_it.substr(0, size)).empty());
}

TEST_CASE("a_token_that_anybody_could_have_signed_is_refused_before_its_key_is_looked_for") {
  CHECK(wrong(token_of(R"({"alg":"none"})")) == "the token is signed by the algorithm \"none\", expected one with a public key");
  // With the public key as the secret of an HMAC, whoever reads the set could sign.
  CHECK(wrong(token_of(R"({"alg":"HS256","kid":"e"})")) ==
        "the token is signed by the algorithm \"HS256\", expected one with a public key");
}

TEST_CASE("a_token_has_the_key_that_it_names_and_that_is_for_it") {
  const auto set = set_of(fmt::format(R"({{"kid":"e","use":"sig","alg":"ES256",{0}}},{{"kid":"enc","use":"enc",{0}}},{1})", p256, ed25519));
  CHECK(key_problem(token_of(R"({"alg":"ES256","kid":"e"})"), set).empty());
  CHECK(key_problem(token_of(R"({"alg":"EdDSA","kid":"o"})"), set).empty());
  CHECK(key_problem(token_of(R"({"alg":"ES256","kid":"x\nx"})"), set) ==
        "absent: the token is signed by key \"x x\", which is not in the set");
  for (const char* header : {R"({"alg":"RS256","kid":"e"})", R"({"alg":"ES384","kid":"e"})", R"({"alg":"ES256","kid":"enc"})"})
    CHECK(key_problem(token_of(header), set).starts_with("expectation: the token is signed by key \"e"));
}

TEST_CASE("a_token_that_names_no_key_has_the_only_one_that_fits") {
  const std::string e = fmt::format(R"({{"kid":"e",{}}})", p256);
  CHECK(key_problem(token_of(R"({"alg":"ES256"})"), set_of(e + "," + ed25519)).empty());
  CHECK(key_problem(token_of(R"({"alg":"RS256"})"), set_of(e)) == "expectation: the token names no key, and 0 of the set are for RS256");
  CHECK(key_problem(token_of(R"({"alg":"ES256"})"), set_of(e + fmt::format(R"(,{{"kid":"f",{}}})", p256))) ==
        "expectation: the token names no key, and 2 of the set are for ES256");
}

TEST_CASE("a_tokens_issuer_is_compared_as_it_is_written") {
  CHECK(claim_problem(claims(R"("exp":2000)")).empty());
  CHECK(claim_problem(R"({"exp":2000})") == "the token has no issuer (iss)");
  CHECK(claim_problem(R"({"iss":"http://sso.test/realms/main","exp":2000})") ==
        "the token's issuer is \"http://sso.test/realms/main\", expected \"https://sso.test/realms/main\"");
  CHECK_FALSE(claim_problem(R"({"iss":"https://sso.test/realms/main/","exp":2000})").empty());
}

TEST_CASE("a_tokens_audience_is_a_text_or_a_list") {
  CHECK(claim_problem(claims(R"("exp":2000,"aud":"api")"), 1000, "api").empty());
  CHECK(claim_problem(claims(R"("exp":2000,"aud":["account","api"])"), 1000, "api").empty());
  CHECK(claim_problem(claims(R"("exp":2000,"aud":["account",7])"), 1000, "api") == "the token's audience is \"account\", expected \"api\"");
  CHECK(claim_problem(claims(R"("exp":2000)"), 1000, "api") == "the token's audience is nobody, expected \"api\"");
}

TEST_CASE("a_tokens_times_are_held_against_the_clock_with_thirty_seconds_to_spare") {
  CHECK(claim_problem(claims("")) == "the token has no end (exp)");
  CHECK(claim_problem(claims(R"("exp":"2000")")) == "the token has no end (exp)");
  CHECK(claim_problem(claims(R"("exp":1000)"), 1029.9).empty());
  CHECK(claim_problem(claims(R"("exp":1000)"), 1030) ==
        "the token that was just given ended 30 s ago: a clock is wrong, or its life is too short");
  CHECK(claim_problem(claims(R"("exp":2000,"iat":1030,"nbf":1030)"), 1000).empty());
  CHECK(claim_problem(claims(R"("exp":2000,"iat":1031)"), 1000) == "the token that was just given begins in 31 s (iat): a clock is wrong");
  CHECK(claim_problem(claims(R"("exp":2000,"nbf":1030.5)"), 1000).ends_with("(nbf): a clock is wrong"));
}
