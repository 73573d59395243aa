#include "agent/rollback/outcome.hpp"

#include <doctest/doctest.h>

using namespace flipback::rollback;

TEST_CASE("each_outcome_has_a_name_of_its_own") {
  CHECK(name_of(outcome::rolled_back) == "rolled back");
  CHECK(name_of(outcome::unproven) == "unproven");
  CHECK(name_of(outcome::undone) == "undone");
  CHECK(name_of(outcome::nothing_changed) == "nothing changed");
  CHECK(name_of(outcome::operator_took_over) == "operator took over");
  CHECK(name_of(outcome::not_undone) == "not undone");
  CHECK(name_of(outcome::cant_tell) == "can't tell");
}

TEST_CASE("an_ending_that_nobody_filled_in_claims_nothing") {
  const ending e;
  CHECK(e.how == outcome::nothing_changed);
  CHECK_FALSE(e.changed);
  CHECK_FALSE(e.reached);
}
