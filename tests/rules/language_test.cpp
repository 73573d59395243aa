#include "rules/language/checker.hpp"
#include "rules/language/parser.hpp"
#include "rules/language/truth.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::rules;

namespace {

catalogue signals() {
  catalogue all;
  for (const auto& [name, kind, in] : {std::tuple{"traffic.error_rate", signal_kind::ratio, unit::ratio},
                                       {"traffic.p95", signal_kind::distribution, unit::seconds},
                                       {"redis.memory_used", signal_kind::gauge, unit::bytes},
                                       {"api-blue.up", signal_kind::outcome, unit::number},
                                       {"postgres.checksum_failures", signal_kind::counter, unit::number}}) {
    all.add({name, kind, in, std::chrono::seconds(15), 0, name});
  }
  return all;
}

/// What is wrong with a condition, as "column: says"; empty where nothing is.
std::string wrong(std::string_view text) {
  auto parsed = parse(text);
  std::optional<language_error> error;
  if (!parsed)
    error = parsed.error();
  else
    error = check(**parsed, signals());
  return error ? std::to_string(error->column) + ": " + error->says : "";
}

}  // namespace

TEST_CASE("conditions_that_make_sense_are_accepted") {
  for (const char* text : {
           "traffic.error_rate > 5%",
           "traffic.error_rate over 5m > 5% and traffic.error_rate over 1m > 0.05",
           "traffic.p95 >= 1000ms or not (api-blue.up == 1)",
           "redis.memory_used * 2 > 2GiB",
           "redis.memory_used / redis.memory_used > 50%",
           "max(redis.memory_used over 1h) - min(redis.memory_used over 1h) > 1MiB",
           "increase(postgres.checksum_failures over 5m) > 0",
           "count(traffic.error_rate over 1m) < 50",
           "traffic.p95 > 0",
           "api-blue.up over 5m < 50%",
           "traffic.error_rate > 3 * before(traffic.error_rate over 5m)",
           "before(max(redis.memory_used over 1h)) > 1GiB and before(redis.memory_used) > 0",
       }) {
    CAPTURE(text);
    CHECK(wrong(text) == "");
  }
}

TEST_CASE("mistakes_are_named_with_their_column") {
  const std::pair<const char*, const char*> cases[] = {
      {"traffic.error_rate >", "20: found the end, expected a signal such as traffic.error_rate, a number, or ("},
      {"traffic.error_rat > 5%", "0: found the signal traffic.error_rat, which no probe gives; did you mean traffic.error_rate?"},
      {"traffic.p95 > 5%", "0: found seconds beside a ratio, expected the same unit on both sides"},
      {"traffic.p95 > 1000", "0: found seconds beside a plain number, expected the same unit on both sides"},
      {"before(traffic.error_rate > 1%) > 5%", "26: found \">\", expected )"},
      {"before(before(traffic.p95)) > 1s", "7: found \"before\", expected a signal such as traffic.error_rate over 5m"},
      {"before traffic.p95 > 1s", "7: found \"traffic.p95\", expected ( after before"},
      {"before(traffic.p95 over 5m) > 5%", "7: found seconds beside a ratio, expected the same unit on both sides"},
      {"traffic.error_rate = 5%", "19: found =, expected == to compare"},
      {"traffic.error_rate", "0: found a value, expected a condition such as traffic.error_rate > 5%"},
      {"traffic.error_rate > 1% > 2%", "24: found \">\", expected and or or: comparisons can't be chained"},
      {"traffic.error_rate over 5 > 5%", "24: found \"5\", expected a duration such as 5m after over"},
      {"max(redis.memory_used) > 1", "21: found \")\", expected over and a duration, as in max(redis.memory_used_ratio over 5m)"},
      {"increase(redis.memory_used over 5m) > 0", "9: increase is for counters, and redis.memory_used is a gauge"},
      {"traffic.error_rate > 5parsecs", "21: found \"5parsecs\", expected a number with a unit such as 5%, 1000ms, 2GiB or 30d"},
      {"(traffic.error_rate > 5%", "24: found the end, expected )"},
      {"traffic.error_rate > 5% traffic.p95 > 1s", "24: found \"traffic.p95\", expected and, or, or the end of the condition"},
      {"traffic.error_rate ~ 5%", "19: found the character '~', which means nothing in a rule"},
  };
  for (const auto& [text, says] : cases) {
    CAPTURE(text);
    CHECK(wrong(text) == says);
  }
}

TEST_CASE("deep_nesting_is_refused_and_not_a_crash") {
  CHECK(wrong(std::string(100'000, '(')).ends_with("is nested more than 64 deep"));
  std::string many_nots;
  for (int i = 0; i < 10'000; ++i) many_nots += "not ";
  CHECK(wrong(many_nots).ends_with("is nested more than 64 deep"));
}

TEST_CASE("logic_has_three_values") {
  using enum truth;
  CHECK((unknown && no) == no);
  CHECK((unknown && yes) == unknown);
  CHECK((unknown || yes) == yes);
  CHECK((unknown || no) == unknown);
  CHECK(!unknown == unknown);
  CHECK((yes && yes) == yes);
  CHECK((no || no) == no);
}
