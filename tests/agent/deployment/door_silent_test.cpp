// nginx that is stopped, and started again, is noticed by its front door: what is ready is looked at anew.

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
