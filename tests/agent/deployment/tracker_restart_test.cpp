// What was remembered, and the world as it is found.

#include "agent/deployment/tracker.hpp"
#include "tests/agent/deployment/watch.hpp"

using namespace flipback;
using namespace flipback::deployment;

TEST_CASE("a_record_that_equals_the_world_goes_on") {
  watch w;
  w.green_after(20min);
  const epoch before = *w.t.now;
  w.restarts(2h);
  w.sees(3);
  CHECK(w.epochs == 0);
  CHECK(*w.t.now == before);
  CHECK(w.heard("deployment.cutover") == 0);
}

TEST_CASE("a_release_that_was_not_told_is_no_difference") {
  watch w;
  w.identity = false;
  w.log = true;
  w.green_after(20min);
  w.restarts(10s);
  w.identity = true;
  w.sees(4);
  CHECK(w.epochs == 0);
  CHECK(w.t.now->live == placed{green, "v2"});
}

TEST_CASE("a_release_that_is_no_longer_told_is_no_difference_either") {
  watch w;
  w.log = true;
  w.green_after(20min);
  w.restarts(10s);
  w.identity = false;
  w.sees(4);
  CHECK(w.epochs == 0);
  CHECK(w.t.now->live == placed{green, "v2"});
}

TEST_CASE("a_record_that_differs_from_the_world") {
  struct row {
    std::string name;
    duration away;
    std::optional<duration> switched;  ///< how long ago the switch was changed
    bool behind;
    epoch::kind becomes;
    duration began;  ///< how long ago, about
  };
  const std::vector<row> table{
      {"the switch was changed in between", 2h, 10min, false, epoch::kind::switched, 10min},
      {"it was changed longer ago than the window", 2h, 1h, false, epoch::kind::switched, 1h},
      {"it was changed before we left, and we were away for less than the window", 10min, 3h, false, epoch::kind::switched, 0s},
      {"nobody knows when, and we were away for less than the window", 10min, std::nullopt, false, epoch::kind::switched, 0s},
      {"nobody knows when, and we were away for longer", 16min, std::nullopt, false, epoch::kind::baseline, 0s},
      {"it was changed before we left, and we were away for longer", 16min, 3h, false, epoch::kind::baseline, 0s},
      {"by a clock that is behind nothing can be told", 1min, std::nullopt, true, epoch::kind::baseline, 0s},
  };
  for (const row& r : table) {
    CAPTURE(r.name);
    watch w;
    w.sees(3);
    w.passes(1h);
    w.sees(1);
    w.restarts(r.away, r.behind, r.behind);
    if (r.behind) w.t.recalled->seen.wall += 1h;
    w.names.slot = w.reached.emplace(green);
    if (r.switched) w.names.changed = w.now.wall - std::chrono::duration_cast<wall_time::duration>(*r.switched);
    w.sees(3);
    REQUIRE(w.t.now);
    CHECK(w.epochs == 1);
    CHECK(w.t.now->is == r.becomes);
    CHECK(w.t.now->number == 2);
    CHECK(w.t.now->live == placed{green, "v2"});
    CHECK(w.now.at - w.t.now->began.at >= r.began);
    CHECK(w.now.at - w.t.now->began.at <= r.began + 4s);
    CHECK(w.t.now->back.has_value() == (r.becomes == epoch::kind::switched));
  }
}

TEST_CASE("a_release_that_changed_in_place_while_we_were_away") {
  watch w;
  w.green_after(20min);
  w.restarts(1min);
  w.releases[green] = "v3";
  w.sees(3);
  CHECK(w.t.now->is == epoch::kind::in_place);
  CHECK(w.t.now->back->to == placed{blue, "v1"});
}

TEST_CASE("a_clock_that_is_behind_ends_the_window") {
  watch w;
  w.green_after(20min);
  w.restarts(10s, true, true);
  w.sees(3);
  CHECK(w.t.now->window_ended);
  watch same;
  same.green_after(20min);
  same.restarts(10s, true, false);
  same.sees(3);
  CHECK_FALSE(same.t.now->window_ended);
}

TEST_CASE("after_a_boot_the_live_slot_has_to_have_been_well_once") {
  watch w;
  w.log = true;
  w.green_after(20min);
  w.restarts(1min, true);
  w.well[green] = false;
  w.sees(5);
  CHECK_FALSE(w.t.live_was_well);
  w.well[green] = true;
  w.sees(1);
  CHECK(w.t.live_was_well);
  w.well[green] = false;
  w.sees(1);
  CHECK(w.t.live_was_well);

  watch same;
  same.log = true;
  same.green_after(20min);
  same.restarts(1min, false);
  same.well[green] = false;
  same.sees(5);
  CHECK(same.t.live_was_well);
}

TEST_CASE("departures_are_remembered_for_a_day") {
  watch w;
  w.green_after(20min);
  CHECK(w.t.departures.size() == 1);
  w.passes(25h);
  w.releases[blue] = "v3";
  w.sees(1);
  w.flips(blue);
  CHECK(w.t.departures.size() == 1);
  CHECK(w.t.departures.front().what == placed{green, "v2"});
}

TEST_CASE("names_of_epochs_and_agreements") {
  CHECK(name_of(epoch::kind::baseline) == "baseline");
  CHECK(name_of(epoch::kind::opened) == "opened");
  CHECK(name_of(agreement::unknown) == "unknown");
  CHECK(name_of(agreement::mixed) == "mixed");
}
