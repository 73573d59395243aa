// What is said of a rollback that is asked about, decided or waited for, beside what it rests on.

#include "agent/deployment/standing.hpp"
#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;

TEST_CASE("that_a_rules_unless_is_not_known_is_said_where_it_acts_and_where_it_asks") {
  constexpr const char* unknown = "; whether its unless is true can't be told";
  for (const auto& [withheld, times] : {std::pair{answer::cant_tell, 1}, {answer::no, 0}}) {
    story acts;
    acts.green_is_put_live();
    acts.breach().withheld = withheld;
    acts.run(2s);
    acts.take(prepared{acts.id()});
    REQUIRE(acts.left());
    REQUIRE(acts.said("rollback.decided").size() == 1);
    CHECK((acts.said("rollback.decided").front().find(unknown) != std::string::npos) == (times == 1));

    story asks;
    asks.by.mode = config::mode::ask;
    asks.green_is_put_live();
    asks.breach().withheld = withheld;
    asks.run(2s);
    REQUIRE(asks.s.questions.contains("error-rate"));
    CHECK((asks.s.questions["error-rate"].says.find(unknown) != std::string::npos) == (times == 1));
    CHECK(asks.times_said(unknown) == times);
  }
}

TEST_CASE("a_person_who_orders_a_rollback_is_told_of_no_unless") {
  story w;
  w.green_is_put_live();
  w.breach().withheld = answer::cant_tell;
  w.s.held = hold{"ben", "x", w.now, {w.now.at + 1h, w.now.wall + 1h}};
  w.types(verb::kind::rollback);
  w.take(prepared{w.id()});
  REQUIRE(w.left());
  CHECK(w.said("rollback.decided").front().find("unless") == std::string::npos);
}

TEST_CASE("how_it_stands_has_what_is_in_each_breached_rules_way_and_what_the_slot_to_go_back_to_answers") {
  story w;
  w.green_is_put_live();
  w.found_to_blame = {blame::kind::both_fail, "both slots fail 8 of 8"};
  w.breach();
  w.run(3s);
  standing stood = stands(w.s, w.by, w.now, w.names);
  REQUIRE(stood.in_the_way.size() == 1);
  CHECK(stood.in_the_way[0].rule == "error-rate");
  CHECK(stood.in_the_way[0].is == "blocked");
  CHECK(stood.in_the_way[0].says.starts_with("both slots fail 8 of 8"));
  CHECK(stood.stable_says.empty());
  w.well[blue] = false;
  w.run(3s);
  CHECK(stands(w.s, w.by, w.now, w.names).stable_says == "down: 500");
  w.rules.clear();
  w.run(1s);
  CHECK(stands(w.s, w.by, w.now, w.names).in_the_way.empty());
}
