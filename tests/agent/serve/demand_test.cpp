#include "agent/serve/demand.hpp"

#include <doctest/doctest.h>

using namespace flipback::serve;

TEST_CASE("a_reason_that_says_nothing_is_refused_where_one_is_needed") {
  for (const char* verb : {"rollback", "hold"}) {
    for (const char* blank : {"", " ", "\t\n \x7f"}) CHECK(wrong_with({verb, {{"reason", blank}}, ""})->contains("--reason"));
    CHECK(wrong_with({verb, {}, ""}).has_value());
    CHECK_FALSE(wrong_with({verb, {{"reason", " why "}}, ""}).has_value());
  }
  CHECK_FALSE(wrong_with({"status", {}, ""}).has_value());
}

TEST_CASE("a_value_that_is_too_long_is_refused_with_the_limit") {
  CHECK_FALSE(wrong_with({"hold", {{"reason", std::string(4096, 'x')}}, ""}).has_value());
  CHECK(wrong_with({"hold", {{"reason", std::string(4097, 'x')}}, ""}) == "found --reason of 4097 bytes, expected at most 4096");
  CHECK(wrong_with({"approve", {{"rule", std::string(5000, 'x')}}, ""}) == "found RULE of 5000 bytes, expected at most 4096");
}
