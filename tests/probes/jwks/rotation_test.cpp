#include "probes/jwks/rotation.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

using namespace flipback;

namespace {

constexpr std::string_view first = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
constexpr std::string_view second = "-J9F47kPn13oJ4sg46O-lQzyEk-JKRcpIKkpz9JyiWg";

std::string key(std::string_view id, std::string_view x = first, std::string_view use = "sig") {
  return fmt::format(R"({{"kid":"{}","kty":"OKP","crv":"Ed25519","x":"{}","use":"{}"}})", id, x, use);
}

std::string saw(jwks::rotation& r, const std::vector<std::string>& keys) {
  const auto set = jwks::parse(net::parse_json(fmt::format(R"({{"keys":[{}]}})", fmt::join(keys, ","))));
  REQUIRE(set.has_value());
  return r.see(*set).value_or("");
}

}  // namespace

TEST_CASE("the_first_set_and_the_same_set_are_no_rotation") {
  jwks::rotation r;
  CHECK(saw(r, {key("a"), key("b")}).empty());
  CHECK(saw(r, {key("b"), key("a")}).empty());
  CHECK(saw(r, {key("b"), key("a"), key("enc", second, "enc")}).empty());
  CHECK(r.count() == 0);
}

TEST_CASE("a_rotation_is_told_once_and_counted") {
  jwks::rotation r;
  saw(r, {key("a")});
  CHECK(saw(r, {key("b", second), key("a")}) == "signing keys rotated: new \"b\"");
  CHECK(saw(r, {key("b", second), key("a")}).empty());
  CHECK(saw(r, {key("b", second)}) == "signing keys rotated: gone \"a\"");
  CHECK(saw(r, {key("c"), key("d", second)}) == "signing keys rotated: new \"c\" \"d\", gone \"b\"");
  CHECK(r.count() == 3);
}

TEST_CASE("another_key_under_an_old_id_is_a_rotation_too") {
  jwks::rotation r;
  saw(r, {key("a")});
  CHECK(saw(r, {key("a", second)}) == "signing keys rotated: another key under the id \"a\"");
}

TEST_CASE("keys_without_an_id_are_told_apart_by_what_they_are") {
  jwks::rotation r;
  saw(r, {R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"});
  CHECK(saw(r, {R"({"kty":"OKP","crv":"Ed25519","x":"-J9F47kPn13oJ4sg46O-lQzyEk-JKRcpIKkpz9JyiWg"})"}).contains(", gone \""));
}

TEST_CASE("what_is_told_of_a_rotation_is_bounded") {
  jwks::rotation r;
  saw(r, {key("a")});
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.push_back(key(fmt::format("{:03}{}", i, std::string(300, 'x')), second));
  const std::string said = saw(r, many);
  CHECK(said.contains(" and 97 more, gone \"a\""));
  CHECK(said.size() < 400);
}

TEST_CASE("keys_of_two_types_under_one_id_are_the_same_in_either_order") {
  const std::string point =
      R"({"kid":"a","kty":"EC","crv":"P-256","x":"02WRgxc1r15FZnKJ9L7QYQi4Yb363ExLa7EyU6fYgFE","y":"APb3LdZNZg7Y2u_dBCEJ9MAaMbvNUMRp9m0FBs1rk4I"})";
  jwks::rotation r;
  CHECK(saw(r, {key("a"), point}).empty());
  CHECK(saw(r, {point, key("a")}).empty());
  CHECK(saw(r, {point, key("a", second)}) == "signing keys rotated: another key under the id \"a\"");
}
