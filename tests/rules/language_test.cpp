#include "rules/language/checker.hpp"
#include "rules/language/overlap.hpp"
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
    all.add({name, kind, in, std::chrono::seconds(15), 0, name, {}, false, std::chrono::seconds(5)});
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
           "surely(traffic.error_rate over 30s > 5%) and worse(traffic.error_rate over 30s)",
           "surely(traffic.error_rate over 5m > 5%, 80%)",
           "sum(traffic.error_rate over 5m) > 20",
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
      {"surely(traffic.p95 over 30s > 5%)", "0: surely is for ratios, whose requests are counted, and traffic.p95 is a distribution"},
      {"surely(traffic.error_rate over 30s)", "34: found \")\", expected > and a limit, as in surely(traffic.error_rate over 30s > 5%)"},
      {"surely(traffic.error_rate over 30s > 5%, 200%)", "0: found the confidence 200%, expected one between 0% and 100%, such as 99.9%"},
      {"worse(5%)", "6: found \"5%\", expected a ratio such as traffic.error_rate over 30s"},
      {"sum(traffic.p95 over 5m) > 1s", "4: traffic.p95 is a distribution, whose sum is not known"},
      {"traffic.error_rate ~ 5%", "19: found the character '~', which means nothing in a rule"},
  };
  for (const auto& [text, says] : cases) {
    CAPTURE(text);
    CHECK(wrong(text) == says);
  }
}

TEST_CASE("what_other_languages_say_is_answered_with_what_this_one_says") {
  const std::pair<const char*, const char*> cases[] = {
      {"rate(postgres.checksum_failures[5m]) > 0",
       "0: found rate(), which is not of this language; a counter over a window is its increase per second: counter over 5m"},
      {"postgres.checksum_failures[5m] > 0", "26: found [, expected a window with over, as in traffic.error_rate over 5m"},
      {"increase(postgres.checksum_failures[5m]) > 0", "35: found [, expected a window with over, as in traffic.error_rate over 5m"},
      {"traffic.error_rate{slot=\"blue\"} > 5%", "18: found {, expected a signal alone: signals have no labels"},
      {"traffic.error_rate > 5% && traffic.p95 > 1s", "24: found &&, expected and"},
      {"traffic.error_rate > 5% || traffic.p95 > 1s", "24: found ||, expected or"},
      {"!(traffic.error_rate > 5%)", "0: found !, expected not"},
      {"traffic.error_rate > 5% AND traffic.p95 > 1s", "24: found AND, expected and, in small letters"},
      {"NOT traffic.error_rate > 5%", "0: found NOT, expected not, in small letters"},
      {"traffic.error_rate OVER 5m > 5%", "19: found OVER, expected over, in small letters"},
      {"traffic.error_rate > 5 %", "23: found % alone, expected it right after its number, as in 5%"},
      {"postgres.checksum_failures over 5m > 10/s", "39: found a number per second, expected the number alone: rates are per second"},
      {"traffic.error_rate \u2265 5%", "19: found \u2265, expected >="},
      {"traffic.error_rate <> 5%", "19: found <>, expected !="},
      {"traffic.error_rate > \u201c5%\u201d", "21: found the quote \u201c, expected none: names and numbers stand as they are"},
      {"traffic.error_rate\u00a0> 5%", "18: found \u00a0, expected a plain space"},
      {"traffic.error_rate > 5% \xff", "24: found the character '\\xff', which means nothing in a rule"},
      {"traffic.error_rate \u20ac 5%", "19: found the character '\u20ac', which means nothing in a rule"},
      {"traffic.error_rate > 5%\x01", "23: found the character '\\x01', which means nothing in a rule"},
      {"traffic.p95 / 0 > 1s", "0: divides by 0, which is no number; expected another divisor"},
      {"traffic.error_rate over 31d > 5%", "0: found traffic.error_rate over 31d, expected a window of at most 30d"},
      {"1 > 0", "0: compares two numbers, which is always so or never; expected a signal"},
      {"traffic.error_rate > 5", "21: found 5, which traffic.error_rate never reaches; expected a share such as 5%"},
      {"101% < traffic.error_rate over 5m", "0: found 101%, which traffic.error_rate never reaches; expected a share such as 5%"},
      {"traffic.error_rate over 4s > 5%",
       "0: traffic.error_rate over 4s holds one sample at most: the probe runs every 5s; expected a longer window"},
      {"foo(traffic.error_rate) > 5%", "0: found foo(), expected one of min, max, avg, sum, count, increase, before, surely and worse"},
  };
  for (const auto& [text, says] : cases) {
    CAPTURE(text);
    CHECK(wrong(text) == says);
  }
}

TEST_CASE("a_chain_as_long_as_a_file_is_refused_and_not_a_crash") {
  std::string chain = "traffic.p95 > 1s";
  for (int i = 0; i < 100'000; ++i) chain += " or traffic.p95 > 1s";
  CHECK(wrong(chain).ends_with("is longer than 1000 parts"));
}

TEST_CASE("an_end_that_can_be_true_while_its_beginning_is_is_found") {
  const auto found = [](std::string_view when, std::string_view until) {
    return overlap(**parse(when), **parse(until)).value_or("nothing");
  };
  CHECK(found("traffic.error_rate over 5m > 5%", "traffic.error_rate over 5m < 10%") == "traffic.error_rate over 5m between 5% and 10%");
  CHECK(found("traffic.error_rate > 5%", "traffic.error_rate < 5%") == "nothing");
  CHECK(found("traffic.error_rate >= 5%", "traffic.error_rate <= 5%") == "traffic.error_rate between 5% and 5%");
  CHECK(found("traffic.error_rate > 5%", "traffic.error_rate >= 2%") == "traffic.error_rate above 5%");
  CHECK(found("traffic.error_rate > 5% and traffic.p95 > 1s", "traffic.error_rate < 4% or traffic.p95 < 2s") ==
        "traffic.p95 between 1s and 2s");
  CHECK(found("traffic.error_rate over 5m > 5%", "traffic.error_rate over 1m < 10%") == "nothing");  // of another window it can't be told
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
