#include "rules/verdict.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace flipback;
using namespace flipback::rules;
using std::chrono::seconds;

namespace {

constexpr truth T = truth::yes;
constexpr truth F = truth::no;
constexpr truth U = truth::unknown;
instant at(int s) {
  return instant(seconds(1000 + s));
}

struct told {
  int second;
  truth when;
  verdict expected;
  truth until = truth::unknown;
};

void follow(const verdict_terms& terms, const std::vector<told>& story, instant earliest = instant::min()) {
  verdict_state state;
  for (const told& t : story) {
    CAPTURE(t.second);
    CHECK(state.step(terms, t.when, t.until, earliest, at(t.second)) == t.expected);
  }
}

}  // namespace

TEST_CASE("for_must_have_passed_since_the_condition_became_true") {
  follow({seconds(10), seconds(30), false},
         {{0, F, verdict::ok}, {5, T, verdict::pending}, {14, T, verdict::pending}, {15, T, verdict::breached}});
}

TEST_CASE("without_for_a_breach_comes_at_once") {
  follow({}, {{0, T, verdict::breached}, {1, F, verdict::ok}, {2, T, verdict::breached}});
}

TEST_CASE("a_false_drops_what_was_pending") {
  follow({seconds(10), seconds(30), false},
         {{0, T, verdict::pending}, {9, F, verdict::ok}, {10, T, verdict::pending}, {19, T, verdict::pending}, {20, T, verdict::breached}});
}

TEST_CASE("a_short_unknown_is_bridged_and_can_breach_only_on_a_true") {
  follow({seconds(20), seconds(5), false}, {{0, T, verdict::pending},
                                            {10, U, verdict::unknown},
                                            {14, T, verdict::pending},
                                            {18, U, verdict::unknown},
                                            {20, U, verdict::unknown},
                                            {21, T, verdict::breached}});
}

TEST_CASE("a_long_unknown_drops_what_was_pending") {
  follow({seconds(20), seconds(5), false}, {{0, T, verdict::pending},
                                            {10, U, verdict::unknown},
                                            {15, T, verdict::pending},
                                            {20, T, verdict::pending},
                                            {35, T, verdict::breached}});
}

TEST_CASE("at_most_half_of_for_is_bridged") {
  follow({seconds(10), seconds(30), false}, {{0, T, verdict::pending},
                                             {1, U, verdict::unknown},
                                             {4, T, verdict::pending},
                                             {5, U, verdict::unknown},
                                             {8, T, verdict::pending},
                                             {10, T, verdict::pending},
                                             {17, T, verdict::pending},
                                             {18, T, verdict::breached}});
}

TEST_CASE("an_unknown_keeps_a_breach_and_a_false_ends_it") {
  follow({}, {{0, T, verdict::breached}, {1, U, verdict::breached}, {100, U, verdict::breached}, {101, F, verdict::ok}});
}

TEST_CASE("with_until_only_its_first_true_ends_a_breach") {
  follow({{}, seconds(30), true},
         {{0, T, verdict::breached}, {1, F, verdict::breached, F}, {2, F, verdict::breached, U}, {3, F, verdict::ok, T}});
}

TEST_CASE("nothing_breaches_before_the_earliest_instant") {
  follow({}, {{0, T, verdict::pending}, {9, T, verdict::pending}, {10, T, verdict::breached}}, at(10));
}

TEST_CASE("time_that_nobody_watched_counts_as_unknown") {
  const verdict_terms terms{seconds(20), seconds(5), false};
  verdict_state state;
  state.step(terms, T, U, instant::min(), at(0));
  state.unwatched(terms, at(2), at(6));  // short: bridged
  CHECK(state.step(terms, T, U, instant::min(), at(20)) == verdict::breached);
  state.reset();
  state.step(terms, T, U, instant::min(), at(0));
  state.unwatched(terms, at(2), at(8));  // long: dropped
  CHECK(state.step(terms, T, U, instant::min(), at(20)) == verdict::pending);
}

TEST_CASE("what_was_pending_is_unknown_once_more_than_half_of_for_went_unwatched_and_nothing_is_due") {
  const verdict_terms terms{seconds(10), seconds(30), false};
  verdict_state state;
  state.step(terms, T, U, instant::min(), at(0));
  state.unwatched(terms, at(1), at(6));  // half
  CHECK(state.current() == verdict::pending);
  CHECK(*state.due(terms, instant::min()) == at(10));
  state.unwatched(terms, at(6), at(7));
  CHECK(state.current() == verdict::unknown);
  CHECK_FALSE(state.true_since());
  CHECK_FALSE(state.due(terms, instant::min()));
}

TEST_CASE("it_says_when_it_is_due") {
  const verdict_terms terms{seconds(10), seconds(5), false};
  verdict_state state;
  CHECK_FALSE(state.due(terms, instant::min()).has_value());
  state.step(terms, T, U, instant::min(), at(3));
  CHECK(*state.due(terms, instant::min()) == at(13));
  CHECK(*state.due(terms, at(40)) == at(40));
  state.step(terms, U, U, instant::min(), at(4));
  CHECK(*state.due(terms, instant::min()) == at(9));
}

TEST_CASE("what_an_earlier_life_saw_goes_on_as_if_it_had_not_been_watched_in_between") {
  const verdict_terms terms{seconds(20), seconds(10), false};
  const auto resumed = [&](int until, int first_true, duration bridged = {}) {
    verdict_state state;
    state.resume(at(0), at(until), bridged);
    CHECK(state.current() == verdict::unknown);
    state.step(terms, U, U, instant::min(), at(first_true - 1));
    state.step(terms, T, U, instant::min(), at(first_true));
    return state.true_since();
  };
  CHECK(resumed(10, 15) == at(0));
  CHECK(resumed(10, 20) == at(20));              // not watched for longer than `gap`
  CHECK(resumed(10, 15, seconds(5)) == at(0));   // half of `for` is unknown
  CHECK(resumed(10, 15, seconds(6)) == at(15));  // more than half
  verdict_state state;
  state.resume(at(0), at(18), {});
  CHECK(state.step(terms, T, U, instant::min(), at(21)) == verdict::breached);
  state.resume(at(0), at(18), {});
  CHECK(state.step(terms, F, U, instant::min(), at(21)) == verdict::ok);
}
