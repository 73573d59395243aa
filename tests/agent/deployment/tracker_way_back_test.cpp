// The way back, and what is doubtful about it.

#include "agent/deployment/tracker.hpp"
#include "tests/agent/deployment/watch.hpp"

using namespace flipback;
using namespace flipback::deployment;

TEST_CASE("a_person's_rollback_is_recorded_as_one_and_the_way_back_is_doubtful") {
  watch w;
  w.green_after(20min);
  w.passes(20min);
  w.sees(1);
  w.flips(blue);
  CHECK(w.t.now->returned);
  CHECK(w.forgiven);
  CHECK(w.told[w.told.size() - 2].says.find("somebody rolled back") != std::string::npos);
  CHECK(w.t.now->back->to == placed{green, "v2"});
  CHECK(doubt_of_way_back(w.t, w.by).find("rolled back by someone else") != std::string::npos);
  // Blue is where they went back to: to leave it in its window is no doubt.
  w.releases[green] = "v3";
  w.flips(green);
  CHECK_FALSE(w.t.now->returned);
  CHECK(w.t.now->back->to == placed{blue, "v1"});
  CHECK(doubt_of_way_back(w.t, w.by).empty());
}

TEST_CASE("each_kind_of_doubt_about_the_way_back") {
  struct row {
    std::string name;
    std::function<void(watch&)> happens;
    std::string doubt;  ///< empty: none
  };
  const std::vector<row> table{
      {"left after its window", [](watch& w) { w.green_after(20min); }, ""},
      {"a baseline has no window to be left in", [](watch& w) { w.green_after(1min); }, ""},
      {"left before its own window was over",
       [](watch& w) {
         w.green_after(20min);
         w.passes(10min);
         w.releases[blue] = "v3";
         w.sees(1);
         w.flips(blue);
       },
       "before its own rollback window was over"},
      {"left after its own window was over",
       [](watch& w) {
         w.green_after(20min);
         w.passes(16min);
         w.releases[blue] = "v3";
         w.sees(1);
         w.flips(blue);
       },
       ""},
      {"left while a rule was breached or pending on it",
       [](watch& w) {
         w.sees(3);
         w.troubled = true;
         w.flips(green);
       },
       "breached or pending"},
      {"releases can't be told apart, and it was down since",
       [](watch& w) {
         w.identity = false;
         w.log = true;
         w.green_after(20min);
         w.well[blue] = false;
         w.sees(1);
         w.well[blue] = true;
         w.sees(10);
       },
       "was down since it was left"},
      {"releases can't be told apart, and it was down when it was left",
       [](watch& w) {
         w.identity = false;
         w.log = true;
         w.sees(3);
         w.well[blue] = false;
         w.flips(green);
         w.well[blue] = true;
         w.sees(10);
       },
       "was down since it was left"},
      {"a colour is no release",
       [](watch& w) {
         w.releases = {"blue", "green"};
         w.green_after(20min);
         w.well[blue] = false;
         w.sees(1);
         w.well[blue] = true;
         w.sees(10);
       },
       "was down since it was left"},
      {"releases can be told apart, and it was down since",
       [](watch& w) {
         w.green_after(20min);
         w.well[blue] = false;
         w.sees(1);
         w.well[blue] = true;
         w.sees(10);
       },
       ""},
  };
  for (const row& r : table) {
    CAPTURE(r.name);
    watch w;
    r.happens(w);
    CHECK(no_way_back(w.t, w.by).empty());
    const std::string found = doubt_of_way_back(w.t, w.by);
    if (r.doubt.empty())
      CHECK(found.empty());
    else
      CHECK_MESSAGE(found.find(r.doubt) != std::string::npos, found);
  }
}

TEST_CASE("that_the_stable_slot_was_down_outlasts_a_restart") {
  watch w;
  w.identity = false;
  w.log = true;
  w.green_after(20min);
  w.well[blue] = false;
  w.sees(1);
  w.well[blue] = true;
  w.sees(1);
  w.restarts(5s);
  w.sees(4);
  CHECK(doubt_of_way_back(w.t, w.by).find("was down") != std::string::npos);
}

TEST_CASE("where_releases_can't_be_told_apart_every_second_release_is_no_rollback") {
  // Blue-green by the log alone: each new release goes to the slot that the one before last had.
  watch w;
  w.identity = false;
  w.log = true;
  w.green_after(20min);
  w.passes(1h);
  w.well[blue] = false;  // the new one is being started
  w.sees(2);
  w.well[blue] = true;
  w.sees(2);
  w.flips(blue);
  CHECK_FALSE(w.t.now->returned);
  CHECK(doubt_of_way_back(w.t, w.by).empty());
  // While what was never down is what was there before.
  w.sees(2);
  w.flips(green);
  CHECK(w.t.now->returned);
}

TEST_CASE("another_release_in_the_stable_slot_is_no_way_back") {
  watch w;
  w.green_after(20min);
  CHECK(no_way_back(w.t, w.by).empty());
  w.releases[blue] = "v7";
  w.sees(1);
  CHECK(no_way_back(w.t, w.by).find("no longer has v1, but v7") != std::string::npos);
  w.releases[blue] = "v1";
  w.sees(1);
  CHECK(no_way_back(w.t, w.by).empty());
}

TEST_CASE("another_release_in_a_slot_is_no_return_to_it") {
  watch w;
  w.green_after(20min);
  w.releases[blue] = "v3";
  w.flips(blue);
  CHECK_FALSE(w.t.now->returned);
  CHECK_FALSE(w.forgiven);
}

TEST_CASE("a_stable_slot_that_is_fixed_by_name") {
  watch w;
  w.by.stable = blue;
  w.green_after(20min);
  CHECK(w.t.now->back->to == placed{blue, "v1"});
  // A release later, in place: it is blue still, for as long as it takes.
  w.passes(30h);
  w.releases[green] = "v3";
  w.sees(3);
  REQUIRE(w.t.now->back);
  CHECK(w.t.now->back->to == placed{blue, "v1"});
  // When it is live itself there is nothing to go back to.
  w.passes(1h);
  w.sees(1);
  w.flips(blue);
  CHECK_FALSE(w.t.now->back);
  CHECK(no_way_back(w.t, w.by).starts_with("blue is live already"));
}

TEST_CASE("doubt_holds_of_a_slot_that_is_fixed_by_name_too") {
  watch w;
  w.by.stable = blue;
  w.sees(3);
  w.troubled = true;
  w.flips(green);
  CHECK(doubt_of_way_back(w.t, w.by).find("breached or pending") != std::string::npos);
  w.troubled = false;
  w.releases[green] = "v3";
  w.sees(3);
  CHECK(doubt_of_way_back(w.t, w.by).find("breached or pending") != std::string::npos);
}

TEST_CASE("a_rollback_of_ours_is_no_cutover") {
  watch w;
  w.green_after(20min);
  w.names.slot = w.reached.emplace(blue);
  const noticed found = rolled_back(w.t, {blue, "v1"}, w.now, w.by);
  CHECK(found.new_epoch);
  CHECK(w.t.now->is == epoch::kind::rolled_back);
  CHECK_FALSE(w.t.now->back);
  w.told.clear();
  w.sees(20);
  CHECK(w.told.empty());
  CHECK(w.t.now->live.slot == blue);
  // The next release's way back is the one that was gone back to, without doubt; the one that was rolled back is doubtful for a day.
  w.releases[green] = "v3";
  w.flips(green);
  CHECK(w.t.now->back->to == placed{blue, "v1"});
  CHECK(doubt_of_way_back(w.t, w.by).empty());
}

TEST_CASE("a_window_that_a_person_opens_has_the_way_back_that_they_say") {
  watch w;
  w.sees(3);
  open_window(w.t, {{green, "v2"}, w.now, {}});
  CHECK(w.t.now->is == epoch::kind::opened);
  CHECK(w.t.now->live == placed{blue, "v1"});
  CHECK(w.t.now->back->to == placed{green, "v2"});
  CHECK(w.t.now->number == 2);
  CHECK(no_way_back(w.t, w.by).empty());
}
