#include "agent/deployment/guards.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::deployment;

namespace {

circumstances good() {
  circumstances c;
  c.mode = config::mode::act;
  c.window_open = true;
  c.stable = "blue";
  c.stable_healthy = 3;
  return c;
}

}  // namespace

TEST_CASE("with_every_guard_content_it_acts") {
  CHECK(ask_guards(good()).is == guarded::act);
}

TEST_CASE("each_guard_alone_stops_it") {
  struct row {
    const char* guard;
    guarded expected;
    void (*spoil)(circumstances&);
  };
  const row rows[] = {
      {"rollback", guarded::blocked, [](circumstances& c) { c.rolling = true; }},
      {"mixed", guarded::only_say, [](circumstances& c) { c.mixed = true; }},
      {"stable", guarded::only_say, [](circumstances& c) { c.no_way_back = "gone"; }},
      {"latch", guarded::only_say, [](circumstances& c) { c.latched = "shut"; }},
      {"window", guarded::only_say, [](circumstances& c) { c.window_open = false; }},
      {"hold", guarded::blocked, [](circumstances& c) { c.held = "held by alice"; }},
      {"evidence", guarded::only_say, [](circumstances& c) { c.unfit = "a log without user agents"; }},
      {"unless", guarded::blocked, [](circumstances& c) { c.withheld = "x"; }},
      {"healthy", guarded::blocked, [](circumstances& c) { c.stable_healthy = 0; }},
      {"confirm", guarded::blocked, [](circumstances& c) { c.stable_healthy = 2; }},
      {"mode", guarded::only_say, [](circumstances& c) { c.mode = config::mode::observe; }},
      {"ask", guarded::only_say, [](circumstances& c) { c.mode = config::mode::ask; }},
      {"ask", guarded::only_say, [](circumstances& c) { c.not_this_release = true; }},
      {"ask", guarded::only_say, [](circumstances& c) { c.failed_before = true; }},
      {"client", guarded::only_say, [](circumstances& c) { c.client = "one client makes 80% of the errors"; }},
  };
  for (const row& r : rows) {
    circumstances c = good();
    r.spoil(c);
    const guard_answer answer = ask_guards(c);
    CAPTURE(r.guard);
    CHECK(answer.guard == r.guard);
    CHECK(answer.is == r.expected);
    CHECK_FALSE(answer.says.empty());
  }
}
