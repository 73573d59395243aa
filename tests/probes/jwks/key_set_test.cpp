#include "probes/jwks/key_set.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <regex>

using namespace flipback;

namespace {

// Made for this test; their private parts were thrown away.
const std::string rsa_enc =
    R"({"kid":"enc","kty":"RSA","use":"enc","alg":"RSA-OAEP","n":"6CfYMALGaoWrJzaXupfu2Nl8FhFouZ9IbuuocJAXxPt4zsk_LyJg3x6ayMUlG6H5P2GDELJbzzXvoZRhjdNJAep3DR2ksaRtDDIbXVhSsll316OSDXPjLuQRMjKZiP7rBtqnuDmfrZgjUevbRlSSrnPC_i2fYLElP-tXjlqUOFo1apUQFx12MjOi2qyiZuSlqyUwH-vEaELGk2GVApIWkjCgKJNAnwul9YpItdhSzOx3EAfxPinNmAY1hEYy88AcsiMBf_QEmAzny3cUFa_-XZqBsD4_8rdn7UgyLD4NGBHXmC8PADq33JijGFuZkEGoGJQD24ry5E99zkciuZe6VQ","e":"AQAB"})";
const std::string rsa_sig =
    R"({"kid":"a","kty":"RSA","use":"sig","alg":"RS256","n":"6CfYMALGaoWrJzaXupfu2Nl8FhFouZ9IbuuocJAXxPt4zsk_LyJg3x6ayMUlG6H5P2GDELJbzzXvoZRhjdNJAep3DR2ksaRtDDIbXVhSsll316OSDXPjLuQRMjKZiP7rBtqnuDmfrZgjUevbRlSSrnPC_i2fYLElP-tXjlqUOFo1apUQFx12MjOi2qyiZuSlqyUwH-vEaELGk2GVApIWkjCgKJNAnwul9YpItdhSzOx3EAfxPinNmAY1hEYy88AcsiMBf_QEmAzny3cUFa_-XZqBsD4_8rdn7UgyLD4NGBHXmC8PADq33JijGFuZkEGoGJQD24ry5E99zkciuZe6VQ","e":"AQAB"})";
const std::string ec_sig =
    R"({"kid":"e","kty":"EC","crv":"P-256","x":"02WRgxc1r15FZnKJ9L7QYQi4Yb363ExLa7EyU6fYgFE","y":"APb3LdZNZg7Y2u_dBCEJ9MAaMbvNUMRp9m0FBs1rk4I","use":"sig","alg":"ES256"})";
const std::string ed25519 = R"({"kid":"o","kty":"OKP","crv":"Ed25519","x":"-J9F47kPn13oJ4sg46O-lQzyEk-JKRcpIKkpz9JyiWg"})";
const std::string of_the_future = R"({"kid":"u","kty":"NEW"})";

std::string set_of(std::initializer_list<std::string> keys) {
  return fmt::format(R"({{"keys":[{}]}})", fmt::join(keys, ","));
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  return text.replace(text.find(what), what.size(), with);
}

std::string wrong(const std::string& body) {
  const auto parsed = jwks::parse(net::parse_json(body));
  return parsed ? "" : parsed.error();
}

}  // namespace

TEST_CASE("every_kind_of_key_is_parsed_and_an_unknown_one_tolerated") {
  const auto set = jwks::parse(net::parse_json(set_of({rsa_enc, rsa_sig, ec_sig, ed25519, of_the_future})));
  REQUIRE(set.has_value());
  CHECK(set->keys.size() == 4);
  CHECK(set->signing() == 3);
  CHECK(set->unknown == 1);
  CHECK(set->algorithms.contains("RS256"));
}

TEST_CASE("sets_that_nobody_can_verify_with_are_refused") {
  CHECK(wrong("<html>") == "the body is HTML or XML, expected JSON");
  CHECK(wrong(R"({"keys":[)") == "the JSON in the body is cut short");
  CHECK(wrong("[]") == "the body has no array \"keys\"");
  CHECK(wrong(R"({"keys":{}})") == "the body has no array \"keys\"");
  CHECK(wrong(set_of({})) == "the key set is empty");
  CHECK(wrong(R"({"keys":[1]})") == "key 1 is no object");
  CHECK(wrong(set_of({rsa_enc})) == "no key of the set can verify a signature");
  CHECK(wrong(set_of({of_the_future})) == "no key of the set can verify a signature");
  std::string many = of_the_future;
  for (int i = 0; i < 256; ++i) many += "," + of_the_future;
  CHECK(wrong(set_of({many})) == "the set has 257 keys, expected at most 256");
  CHECK(wrong(set_of({rsa_sig, rsa_sig})) == "two keys for signatures have the id \"a\"");
}

TEST_CASE("one_bad_key_makes_the_set_bad_and_is_named") {
  CHECK(wrong(set_of({rsa_sig, R"({"kid":"short","kty":"RSA","n":"AQAB","e":"AQAB"})"})) == "key \"short\" is no usable RSA key");
  CHECK(wrong(set_of({replaced(ec_sig, "P-256", "P-384")})) == "key \"e\" is no usable EC key");
  CHECK(wrong(set_of({replaced(ec_sig, "\"x\":\"", "\"x\":\"AA")})) == "key \"e\" is no usable EC key");
  CHECK(wrong(set_of({replaced(ed25519, "Ed25519", "Ed448")})) == "key \"o\" is no usable OKP key");
  CHECK(wrong(set_of({replaced(rsa_sig, "\"n\":\"6C", "\"n\":\"+C")})) == "key \"a\" is no usable RSA key");
  CHECK(wrong(set_of({replaced(rsa_sig, "\"n\":\"6C", "\"n\":\"6 C")})) == "key \"a\" is no usable RSA key");
  CHECK(wrong(set_of({R"({"kty":"RSA"})"})) == "key 1 is no usable RSA key");
  CHECK(wrong(set_of({replaced(rsa_sig, "\"kty\"", "\"x5c\":[\"AAAA\"],\"kty\"")})) == "key \"a\" does not fit its certificate (x5c)");
}

TEST_CASE("a_curve_that_is_not_known_is_skipped_and_one_for_agreeing_on_keys_signs_nothing") {
  const auto set = jwks::parse(net::parse_json(set_of({rsa_sig, replaced(ed25519, "Ed25519", "Ed9"), replaced(ec_sig, "P-256", "P-9")})));
  REQUIRE(set.has_value());
  CHECK(set->unknown == 2);
  CHECK(wrong(set_of({replaced(ed25519, "Ed25519", "X25519")})) == "no key of the set can verify a signature");
}

TEST_CASE("a_published_secret_is_a_failure_and_is_not_repeated") {
  CHECK(wrong(set_of({rsa_sig, R"({"kid":"s","kty":"oct","k":"c2VjcmV0"})"})) == "key \"s\" is a symmetric key: a secret is published");
  CHECK(wrong(set_of({replaced(rsa_sig, "\"kty\"", "\"d\":\"c2VjcmV0\",\"kty\"")})) ==
        "key \"a\" has its private part: a secret is published");
  for (const char* part : {"p", "q", "dp", "dq", "qi", "oth"}) {
    CHECK(wrong(set_of({replaced(rsa_sig, "\"kty\"", fmt::format("\"{}\":\"c2VjcmV0\",\"kty\"", part))})) ==
          "key \"a\" has its private part: a secret is published");
  }
}

TEST_CASE("an_id_may_be_that_of_keys_for_different_things") {  // Keycloak makes a key for encryption out of an imported one, with its id
  const std::string enc = replaced(rsa_enc, R"("kid":"enc")", R"("kid":"a")");
  const std::string ec = replaced(ec_sig, R"("kid":"e")", R"("kid":"a")");
  for (const auto& body : {set_of({rsa_sig, enc, ec}), set_of({enc, ec, rsa_sig}), set_of({enc, enc, rsa_sig})}) CHECK(wrong(body).empty());
  const auto set = jwks::parse(net::parse_json(set_of({enc, rsa_sig})));
  REQUIRE(set.has_value());
  CHECK(set->has("a"));
  CHECK_FALSE(set->has("enc"));
  CHECK(set->signing() == 1);
}

TEST_CASE("a_member_that_says_nothing_is_none") {  // as Microsoft's library writes them
  const std::string nothing =
      R"("d":null,"dp":"","dq":null,"k":null,"oth":[],"p":null,"q":"","qi":null,"x5c":[],"x5t":null,"key_ops":[],"kty")";
  const auto set = jwks::parse(net::parse_json(set_of({replaced(rsa_sig, "\"kty\"", nothing), replaced(ec_sig, "\"kty\"", nothing)})));
  REQUIRE(set.has_value());
  CHECK(set->signing() == 2);
  CHECK(wrong(set_of({replaced(rsa_sig, "\"kty\"", "\"x5c\":null,\"use\":\"\",\"alg\":null,\"kty\"")})).empty());
  CHECK(wrong(set_of({rsa_sig, R"({"kid":"s","kty":"oct","k":null})"})).empty());
  const auto nameless = replaced(rsa_sig, R"("kid":"a")", R"("kid":"")");
  CHECK(wrong(set_of({nameless, nameless})).empty());
}

TEST_CASE("a_key_without_a_type_is_passed_over") {
  const auto set =
      jwks::parse(net::parse_json(set_of({R"({"kid":"bare"})", R"({"kid":"null","kty":null})", R"({"kid":"number","kty":7})", rsa_sig})));
  REQUIRE(set.has_value());
  CHECK(set->unknown == 3);
  CHECK(set->keys.size() == 1);
  CHECK(wrong(set_of({rsa_sig, R"({"kid":"bare","d":"c2VjcmV0"})"})) == "key \"bare\" has its private part: a secret is published");
}

TEST_CASE("a_key_says_what_it_is_for") {
  const auto set = jwks::parse(net::parse_json(set_of({rsa_sig, rsa_enc, replaced(ec_sig, "\"use\":\"sig\"", "\"key_ops\":[\"sign\"]"),
                                                       replaced(ed25519, "\"kty\"", "\"key_ops\":[\"verify\"],\"kty\"")})));
  REQUIRE(set.has_value());
  std::vector<std::string> sign;
  for (const auto& key : set->keys)
    if (key.signs) sign.push_back(key.id);
  CHECK(sign == std::vector<std::string>{"a", "o"});
  CHECK_FALSE(set->has("b"));
}

TEST_CASE("a_key_without_an_algorithm_is_for_those_of_its_type") {
  const auto without = [](std::string_view key) { return std::regex_replace(std::string(key), std::regex(R"(,"alg":"[^"]*")"), ""); };
  const auto set = jwks::parse(net::parse_json(set_of({without(rsa_sig), without(ec_sig)})));
  REQUIRE(set.has_value());
  for (const char* name : {"RS256", "PS512", "ES256"}) CHECK(set->has_key_for(name));
  for (const char* name : {"ES384", "EdDSA", "RSA-OAEP", "HS256", ""}) CHECK_FALSE(set->has_key_for(name));
  const auto named = jwks::parse(net::parse_json(set_of({rsa_sig})));
  CHECK(named->has_key_for("RS256"));
  CHECK_FALSE(named->has_key_for("RS512"));
}

TEST_CASE("a_key_id_is_a_servers_text") {
  CHECK(wrong(set_of({fmt::format(R"({{"kid":"{}\\n","kty":"RSA"}})", std::string(500, 'x'))})).size() < 120);
}
