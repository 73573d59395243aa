// What is said of a rollback that is asked about, decided or waited for, beside what it rests on.

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
