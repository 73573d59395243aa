// A release that changes in the slot that is live.

#include "agent/deployment/tracker.hpp"
#include "tests/agent/deployment/watch.hpp"

using namespace flipback;
using namespace flipback::deployment;

TEST_CASE("a_release_that_changes_in_place_opens_an_epoch_and_keeps_the_way_back") {
  watch w;
  w.green_after(20min);
  w.passes(20h);
  w.releases[green] = "v3";
  w.sees(2);
  CHECK(w.epochs == 2);
  w.sees(1);
  CHECK(w.epochs == 3);
  CHECK(w.t.now->is == epoch::kind::in_place);
  CHECK(w.t.now->live == placed{green, "v3"});
  REQUIRE(w.t.now->back);
  CHECK(w.t.now->back->to == placed{blue, "v1"});
  // A day after blue was left it is no way back any more.
  w.passes(5h);
  w.releases[green] = "v4";
  w.sees(3);
  CHECK(w.epochs == 4);
  CHECK_FALSE(w.t.now->back);
  CHECK(no_way_back(w.t, w.by).find("in place") != std::string::npos);
  CHECK(no_way_back(w.t, w.by).find("flipback window open --stable") != std::string::npos);
}

TEST_CASE("three_in_a_row_say_the_new_release") {
  watch w;
  w.sees(3);
  for (const char* says : {"v2", "v2", "v1", "v2", "v2"}) {
    w.releases[blue] = says;
    w.sees(1);
  }
  CHECK(w.t.now->live.release == "v1");
  w.sees(1);
  CHECK(w.t.now->live.release == "v2");
}

TEST_CASE("users_elsewhere_break_the_row_of_a_new_release") {
  watch w;
  w.green_after(20min);
  w.releases[green] = "v3";
  w.sees("1101");
  CHECK(w.t.now->live.release == "v2");
  w.sees("11");
  CHECK(w.t.now->live.release == "v3");
}

TEST_CASE("what_changes_three_times_in_ten_minutes_is_no_release") {
  watch w;
  w.sees(3);
  for (const char* says : {"a", "b"}) {
    w.releases[blue] = says;
    w.sees(3);
  }
  CHECK(w.epochs == 3);
  for (const char* says : {"c", "d", "e"}) {
    w.releases[blue] = says;
    w.sees(3);
  }
  CHECK(w.epochs == 3);  // epoch and latch stay
  CHECK(w.heard("deployment.no_release") == 1);
  // Ten quiet minutes later it is one again.
  w.passes(11min);
  w.releases[blue] = "f";
  w.sees(3);
  CHECK(w.epochs == 4);
}

TEST_CASE("changes_in_place_are_counted_of_one_slot") {
  watch w;
  w.sees(3);
  for (const char* says : {"a", "b"}) {
    w.releases[blue] = says;
    w.sees(3);
  }
  w.flips(green);
  w.releases[green] = "v3";
  w.sees(3);
  CHECK(w.t.now->is == epoch::kind::in_place);
  CHECK(w.heard("deployment.no_release") == 0);
}

TEST_CASE("a_release_that_is_told_late_is_no_other_one") {
  watch w;
  w.identity = false;
  w.log = true;
  w.sees(3);
  CHECK(w.t.now->live.release.empty());
  w.identity = true;
  w.sees(5);
  CHECK(w.epochs == 1);
  CHECK(w.t.now->live.release == "v1");
}

TEST_CASE("the_log_alone_tells_a_cutover") {
  watch w;
  w.identity = false;
  w.log = true;
  w.green_after(20min);
  CHECK(w.t.now->live == placed{green, ""});
  CHECK(w.t.now->back->to == placed{blue, ""});
  CHECK(doubt_of_way_back(w.t, w.by).empty());
}
