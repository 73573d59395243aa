// nginx that is stopped, and started again, is noticed by its front door: what is ready is looked at anew, and nothing is called proven
// that is not seen any more.

#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;

TEST_CASE("what_is_ready_is_looked_at_again_when_the_front_door_falls_silent_and_when_it_answers_again") {
  story w;
  w.green_is_put_live();
  w.run(30s);
  w.forget();
  w.reached.reset();
  w.look(2);  // it may just be restarted
  w.reached = green;
  w.look(5);
  CHECK(w.count<ask_ready>() == 0);
  w.reached.reset();
  w.look(20);
  CHECK(w.count<ask_ready>() == 1);
  w.forget();
  w.reached = green;
  w.look(10);
  CHECK(w.count<ask_ready>() == 1);
  w.forget();
  w.reached.reset();
  w.look(20);
  CHECK(w.count<ask_ready>() == 1);
}

TEST_CASE("where_the_front_door_answers_no_more_nothing_is_called_proven_until_it_does_again") {
  story w;
  w.green_is_put_live();
  w.run(30s);
  CHECK(w.stood().effect_says == "");
  CHECK(w.stood().since.starts_with("since the cutover at "));
  w.reached.reset();
  w.run(5s);
  CHECK(w.stood().effect_says == "");  // it may be restarted
  w.run(7s);
  CHECK(w.stood().live == "green");  // by what was seen last
  CHECK(w.stood().effect == agreement::agreed);
  CHECK_MESSAGE(w.stood().effect_says == "not proven at this moment: the front door has not answered for 11s", w.stood().effect_says);
  w.reached = green;
  w.run(1s);
  CHECK(w.stood().effect_says == "");
}

TEST_CASE("what_was_proven_stays_so_while_the_front_door_answers_whatever_tells_slots_apart") {
  story canary;
  canary.log = true;
  canary.green_is_put_live();
  canary.by.canary = blue;
  canary.log_both = true;
  canary.run(60s);
  CHECK(canary.stood().effect_says == "");
  story untold;
  untold.green_is_put_live();
  untold.identity = false;
  untold.run(60s);
  CHECK(untold.stood().effect_says == "");
}

TEST_CASE("a_look_that_hangs_proves_nothing_of_this_moment") {
  story w;
  w.green_is_put_live();
  w.passes(14s);
  CHECK(w.stood().effect_says == "");
  w.passes(2s);
  CHECK(w.stood().effect_says == "not proven at this moment: the newest look at it is 16s old");
}

TEST_CASE("nothing_is_called_proven_while_it_is_being_changed") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  REQUIRE(w.begun());
  CHECK(w.stood().effect_says == "");
  w.changes();
  CHECK(w.stood().effect_says == "not proven while the rollback is under way");
}
