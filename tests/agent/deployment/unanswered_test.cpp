#include "agent/deployment/unanswered.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::deployment;

TEST_CASE("whoever_still_waits_when_the_agent_is_stopped_is_told_what_is_so") {
  terms by;
  by.slots = {"blue", "green"};
  intent names;
  names.is = intent::kind::names;
  names.slot = 0;
  state s;
  s.under_way.emplace();
  s.under_way->to.slot = 0;
  s.under_way->why.verb = 7;
  s.order.emplace();
  s.order->verb = 8;
  CHECK(unanswered(s, by, names, 7) ==
        "the agent is being stopped while the rollback to blue is under way: the switch names blue; the agent's next start proves it, or "
        "undoes it");
  CHECK(unanswered(s, by, {}, 7).contains("the switch can't be read"));
  CHECK(unanswered(s, by, {intent::kind::neither, 0, "it is a third thing", {}}, 7)
            .contains("the switch names no slot (it is a third thing)"));
  CHECK(unanswered(s, by, names, 8) == "the agent is being stopped: the rollback was not begun, and nothing was changed");
  CHECK(unanswered(s, by, names, 9).contains("it is not known whether this is stored"));
}
