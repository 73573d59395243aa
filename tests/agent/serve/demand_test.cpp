#include "agent/serve/demand.hpp"

#include <doctest/doctest.h>

using namespace flipback::serve;

TEST_CASE("a_reason_that_says_nothing_is_refused_where_one_is_needed") {
  for (const char* verb : {"rollback", "hold"}) {
    for (const char* blank : {"", " ", "\t\n \x7f"}) CHECK(wrong_with({verb, {{"reason", blank}}, ""})->contains("--reason"));
    CHECK(wrong_with({verb, {}, ""}).has_value());
    CHECK_FALSE(wrong_with({verb, {{"reason", " why "}, {"for", "2h"}}, ""}).has_value());
  }
  CHECK_FALSE(wrong_with({"status", {}, ""}).has_value());
}

TEST_CASE("a_value_that_is_too_long_is_refused_with_the_limit") {
  CHECK_FALSE(wrong_with({"hold", {{"reason", std::string(4096, 'x')}, {"for", "2h"}}, ""}).has_value());
  CHECK(wrong_with({"hold", {{"reason", std::string(4097, 'x')}}, ""}) == "found --reason of 4097 bytes, expected at most 4096");
  CHECK(wrong_with({"approve", {{"rule", std::string(5000, 'x')}}, ""}) == "found RULE of 5000 bytes, expected at most 4096");
}

TEST_CASE("a_hold_lasts_more_than_nothing_and_at_most_a_week") {
  const auto wrong = [](const char* length) { return wrong_with({"hold", {{"reason", "why"}, {"for", length}}, ""}).value_or(""); };
  for (const char* good : {"1s", "2h", "7d"}) CHECK(wrong(good).empty());
  CHECK(wrong("soon") == "found --for \"soon\", expected a duration such as 30m or 2h, to 7d");
  CHECK(wrong("") == "found --for nothing, expected a duration such as 30m or 2h, to 7d");
  CHECK(wrong("0s").contains("expected more than that"));
  CHECK(wrong("8d") ==
        "found --for \"8d\", expected at most 7d: type `flipback hold --for 7d --reason TEXT`, and again before that is over");
}
