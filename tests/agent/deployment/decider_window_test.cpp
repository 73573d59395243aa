// The rollback window.

#include "agent/deployment/decider.hpp"
#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;

TEST_CASE("after_the_window_rules_only_tell_and_say_what_to_type") {
  story w;
  w.green_is_put_live();
  w.run(15min);
  w.breach();
  w.run(1min);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("`flipback rollback --reason TEXT`") == 1);
}

TEST_CASE("the_window_is_told_when_it_opens_and_when_it_closes") {
  story w;
  w.look(3);
  CHECK(w.count<tell_window>() == 0);
  w.flip(green);
  REQUIRE(w.newest<tell_window>());
  CHECK(w.newest<tell_window>()->open);
  w.forget();
  w.run(14min);
  CHECK(w.count<tell_window>() == 0);
  w.run(2min);
  REQUIRE(w.count<tell_window>() == 1);
  CHECK_FALSE(w.newest<tell_window>()->open);
}

TEST_CASE("a_pending_rule_keeps_the_window_open") {
  story w;
  w.green_is_put_live();
  w.run(14min + 40s);
  w.pending(1min);
  w.run(50s);
  CHECK(w.s.window_was_open);
  w.rule().breached = true;
  w.run(2s);
  CHECK(w.begun());

  story resolved;
  resolved.green_is_put_live();
  resolved.run(14min + 40s);
  resolved.pending(1min);
  resolved.run(30s);
  CHECK(resolved.s.window_was_open);
  resolved.rules.clear();
  resolved.run(1s);
  CHECK_FALSE(resolved.s.window_was_open);
}

TEST_CASE("a_guard_that_clears_after_the_window_only_tells") {
  story w;
  w.green_is_put_live();
  w.run(14min);
  w.breach().lasts = 2min;
  w.rule().true_since = w.now.at - 2min;
  w.holds(1h);
  w.run(1min);
  CHECK_FALSE(w.begun());
  w.types(verb::kind::unhold);
  w.run(2min);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("window is over") >= 1);
}

TEST_CASE("what_was_being_asked_at_the_window's_end_is_carried_through_for_a_minute") {
  for (const auto& [late, acts] : {std::pair{30s, true}, std::pair{70s, false}}) {
    CAPTURE(late.count());
    story w;
    w.green_is_put_live();
    const instant end = w.s.track.now->began.at + w.by.window;
    w.run(end - w.now.at - 5s);
    w.answers = false;
    w.breach();
    w.take(judged{});
    w.passes(5s + late);
    w.take(judged{});
    w.answers = true;
    w.take(ready_looked{{w.now.at, {}}});
    w.run(5s);
    CHECK(w.begun() == acts);
  }
}
