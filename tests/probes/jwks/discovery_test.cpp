#include "probes/jwks/discovery.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace flipback;

namespace {

jwks::issuer_place at(const char* issuer, const char* address = nullptr) {
  jwks::issuer_place made;
  made.name = issuer;
  made.at.to = *net::parse_url(address == nullptr ? issuer : address);
  made.stands_in = address != nullptr;
  made.at.tls.server_name = "sso.test";
  return made;
}

std::string problem(const jwks::issuer_place& issuer, const char* address) {
  const auto made = jwks::request_for(issuer, address, "jwks_uri");
  return made ? "" : made.error().says;
}

}  // namespace

TEST_CASE("the_document_of_an_issuer_is_under_its_path") {
  CHECK(jwks::discovery_path("/realms/main") == "/realms/main/.well-known/openid-configuration");
  CHECK(jwks::discovery_path("/realms/main/") == "/realms/main/.well-known/openid-configuration");
  CHECK(jwks::discovery_path("/") == "/.well-known/openid-configuration");
}

TEST_CASE("a_document_says_where_its_keys_are_or_is_none") {
  const auto whole = jwks::parse_discovery(boost::json::parse(
      R"({"issuer":"i","jwks_uri":"j","token_endpoint":"t","id_token_signing_alg_values_supported":["RS256",7],"token_endpoint_auth_methods_supported":["client_secret_post"]})"));
  REQUIRE(whole.has_value());
  CHECK(whole->issuer == "i");
  CHECK(whole->jwks_uri == "j");
  CHECK(whole->token_endpoint == "t");
  CHECK(whole->algorithms == std::vector<std::string>{"RS256"});
  CHECK_FALSE(whole->takes_basic);
  CHECK(whole->takes_post);
  const auto least = jwks::parse_discovery(boost::json::parse(R"({"issuer":"i","jwks_uri":"j"})"));
  REQUIRE(least.has_value());
  CHECK(least->takes_basic);
  CHECK_FALSE(least->takes_post);
  CHECK(jwks::parse_discovery(boost::json::parse("{}")).error().says == "the discovery document has no issuer");
  CHECK(jwks::parse_discovery(boost::json::parse("[]")).error().says == "the discovery document has no issuer");
  CHECK(jwks::parse_discovery(boost::json::parse(R"({"issuer":"i","jwks_uri":["j"]})")).error().says ==
        "the discovery document has no jwks_uri");
}

TEST_CASE("what_a_document_names_is_asked_where_it_says") {
  const auto issuer = at("https://sso.test/realms/main");
  const auto same = jwks::request_for(issuer, "https://sso.test/realms/main/certs", "jwks_uri");
  REQUIRE(same.has_value());
  CHECK(same->to.to.host == "sso.test");
  CHECK(same->to.target == "/realms/main/certs");
  CHECK(same->tls.server_name == "sso.test");
  const auto other = jwks::request_for(issuer, "https://keys.test:8443/certs?v=1", "jwks_uri");
  REQUIRE(other.has_value());
  CHECK(other->to.to.host == "keys.test");
  CHECK(other->to.to.port == 8443);
  CHECK(other->to.target == "/certs?v=1");
  CHECK(other->tls.server_name.empty());  // its own
}

TEST_CASE("where_another_place_stands_in_for_the_issuer_everything_is_asked_there") {
  const auto issuer = at("https://sso.test/realms/main", "http://127.0.0.1:8080");
  const auto ask = jwks::request_for(issuer, "https://sso.test:8443/realms/main/certs", "jwks_uri");
  REQUIRE(ask.has_value());
  CHECK(ask->to.to.host == "127.0.0.1");
  CHECK(ask->to.to.port == 8080);
  CHECK_FALSE(ask->to.tls);
  CHECK(ask->to.target == "/realms/main/certs");
  CHECK(ask->host == "sso.test:8443");
}

TEST_CASE("an_issuer_of_https_names_no_address_that_anybody_could_answer") {
  const auto issuer = at("https://sso.test/realms/main");
  CHECK(problem(issuer, "http://sso.test/certs") == "the jwks_uri is \"http://sso.test/certs\", expected https as the issuer's");
  CHECK(problem(at("https://sso.test/realms/main", "http://127.0.0.1:8080"), "http://sso.test/certs")
            .ends_with("expected https as the issuer's"));
  CHECK(problem(at("http://sso.test/realms/main"), "https://sso.test/certs").empty());
  for (const char* address : {"", "/certs", "file:///etc/passwd", "http+unix:///run/docker.sock:/info", "https://", "https://sso.test:x/",
                              "https://u:p@sso.test/"})
    CHECK(problem(issuer, address).starts_with("the jwks_uri is \""));
}
