// nginx that is stopped, and started again, is noticed by its front door: what is ready is looked at anew, and nothing is called proven that
// is not seen any more.

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

TEST_CASE("what_is_not_seen_any_more_is_not_called_proven_until_it_is_seen_again") {
  story w;
  w.green_is_put_live();
  w.run(30s);
  CHECK(w.stood().effect_says == "");
  CHECK(w.stood().since.starts_with("since the cutover at "));
  w.reached.reset();
  w.run(4s);
  CHECK(w.stood().effect_says == "");  // a look or two may fail
  w.run(8s);
  CHECK(w.stood().live == "green");  // by what was seen last
  CHECK(w.stood().effect == agreement::agreed);
  CHECK_MESSAGE(w.stood().effect_says.starts_with("not proven at this moment: users were seen to reach it 1"), w.stood().effect_says);
  w.reached = green;
  w.run(1s);
  CHECK(w.stood().effect_says == "");
}

TEST_CASE("a_rollback_is_proven_by_its_own_witnesses_and_no_longer_than_others_are") {
  story w;
  w.green_is_put_live();
  w.run(30s);
  CHECK(w.stood().effect_says == "");
  tracking& t = w.s.track;
  rolled_back(t, {blue, "v1"}, w.now, w.by);
  CHECK(w.stood().effect_says == "");
  CHECK(w.stood().since.starts_with("since the rollback at "));
  w.passes(10s);
  CHECK_MESSAGE(w.stood().effect_says.starts_with("not proven at this moment: users were seen to reach it 10s ago"), w.stood().effect_says);
}
