#include "probes/prometheus/growth.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using prometheus::element;

namespace {

element counter(std::string_view instance, std::string_view status, double value) {
  element made;
  made.labels = {{"job", "api"}, {"instance", instance}, {"status", status}};
  made.value = value;
  return made;
}

void check(const pooled& grown, double numerator, double denominator) {
  CHECK(grown.numerator == numerator);
  CHECK(grown.denominator == denominator);
}

}  // namespace

TEST_CASE("what_was_counted_before_the_first_look_does_not_count") {
  prometheus::growth counters;
  check(counters.look({counter("a", "500", 7)}, {counter("a", "500", 7), counter("a", "200", 100)}), 0, 0);
  check(counters.look({counter("a", "500", 9)}, {counter("a", "500", 9), counter("a", "200", 118)}), 2, 20);
  check(counters.look({counter("a", "500", 9)}, {counter("a", "500", 9), counter("a", "200", 118)}), 0, 0);
}

TEST_CASE("one_process_that_begins_anew_takes_nothing_from_the_others") {
  prometheus::growth counters;
  counters.look({}, {counter("a", "200", 1000), counter("b", "200", 1000)});
  check(counters.look({}, {counter("a", "200", 30), counter("b", "200", 1010)}), 0, 40);
}

TEST_CASE("the_first_error_of_a_known_target_counts") {
  prometheus::growth counters;
  counters.look({}, {counter("a", "200", 100)});
  check(counters.look({counter("a", "500", 5)}, {counter("a", "500", 5), counter("a", "200", 105)}), 5, 10);
}

TEST_CASE("what_a_new_target_has_counted_so_far_does_not_count") {
  prometheus::growth counters;
  counters.look({}, {counter("a", "200", 100)});
  const std::vector<element> errors{counter("b", "500", 400)};
  check(counters.look(errors, {counter("a", "200", 101), counter("b", "500", 400), counter("b", "200", 90000)}), 0, 1);
  check(counters.look({counter("b", "500", 401)}, {counter("a", "200", 101), counter("b", "500", 401), counter("b", "200", 90009)}), 1, 10);
}

TEST_CASE("a_target_that_was_away_goes_on_from_where_it_was") {
  prometheus::growth counters;
  counters.look({}, {counter("a", "200", 100)});
  check(counters.look({}, {}), 0, 0);
  check(counters.look({}, {counter("a", "200", 103)}), 0, 3);
}

TEST_CASE("series_that_are_gone_are_forgotten_when_there_are_too_many") {
  prometheus::growth counters;
  std::vector<element> many;
  for (std::size_t i = 0; i <= prometheus::growth::most_series; ++i) many.push_back(counter("a", std::to_string(i), 1));
  counters.look({}, many);
  const std::vector<element> few{counter("a", "0", 3)};
  check(counters.look({}, few), 0, 2);
  check(counters.look({}, {counter("a", "1", 4)}), 0, 4);  // it is not known any more, and its target is
}
