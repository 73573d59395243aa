#include "agent/deployment/tracker.hpp"

#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;

namespace {

/// Looks alone, without a decider: who is reached is told by the test, look by look.
struct watch : story {
  tracking t;
  std::vector<event> told;
  int epochs = 0;
  bool forgiven = false;
  bool troubled = false;

  watch() { t.slots.resize(2); }

  noticed take(const sighting& seen) {
    noticed found = see(t, seen, by, troubled);
    told.insert(told.end(), found.told.begin(), found.told.end());
    epochs += found.new_epoch ? 1 : 0;
    forgiven = forgiven || found.was_rolled_back;
    return found;
  }
  watch& sees(int times = 1, duration apart = 1s) {
    for (int i = 0; i < times; ++i) {
      passes(apart);
      take(sight());
    }
    return *this;
  }
  /// One look each: the slot that users reach, '0' or '1'; 'b' both; '.' nothing can be told.
  watch& sees(const std::string& looks, duration apart = 1s) {
    for (const char c : looks) {
      passes(apart);
      log = true;
      log_both = c == 'b';
      reached = c == '.' ? std::nullopt : std::optional<slot_number>(c == '1' ? green : blue);
      take(sight());
    }
    return *this;
  }
  watch& flips(slot_number to) {
    names.slot = to;
    reached = to;
    return sees(3);
  }
  watch& green_after(duration on_blue) {
    sees(3);
    passes(on_blue);
    sees(1);
    return flips(green);
  }
  [[nodiscard]] int heard(const std::string& kind) const { return static_cast<int>(std::ranges::count(told, kind, &event::kind)); }
  /// The agent ends, and starts again a while later.
  watch& restarts(duration away, bool other_boot = false, bool clock_is_behind = false) {
    const recollection was{*t.now, now, clock_is_behind, other_boot};
    const auto left = t.departures;
    t = {};
    t.slots.resize(2);
    t.recalled = was;
    t.departures = left;
    told.clear();
    epochs = 0;
    passes(away);
    return *this;
  }
};

}  // namespace

TEST_CASE("three_witnesses_make_a_baseline_without_a_window_or_a_way_back") {
  watch w;
  w.sees(2);
  CHECK_FALSE(w.t.now);
  CHECK(no_way_back(w.t, w.by) == "it is not known which slot is live");
  w.sees(1);
  REQUIRE(w.t.now);
  CHECK(w.t.now->is == epoch::kind::baseline);
  CHECK(w.t.now->live == placed{blue, "v1"});
  CHECK_FALSE(w.t.now->back);
  CHECK(w.heard("deployment.baseline") == 1);
  CHECK(no_way_back(w.t, w.by).find("flipback window open --stable") != std::string::npos);
}

TEST_CASE("a_cutover_is_three_witnesses_in_a_row_and_its_time_is_the_first_one's") {
  watch w;
  w.sees(3);
  w.passes(1h);
  w.names.slot = green;
  w.sees(1);  // not followed yet
  CHECK(w.t.is == agreement::following);
  w.reached = green;
  w.sees(1);
  const moment first = w.now;
  w.sees(1);
  CHECK(w.epochs == 1);
  w.sees(1);
  CHECK(w.epochs == 2);
  CHECK(w.t.now->is == epoch::kind::switched);
  CHECK(w.t.now->began == first);
  CHECK(w.t.now->live == placed{green, "v2"});
  CHECK(w.t.now->before == placed{blue, "v1"});
  REQUIRE(w.t.now->back);
  CHECK(w.t.now->back->to == placed{blue, "v1"});
  CHECK(w.t.now->number == 2);
  CHECK(w.heard("deployment.cutover") == 1);
  CHECK_FALSE(w.t.now->returned);
}

TEST_CASE("what_makes_a_row_of_witnesses") {
  struct row {
    std::string looks;
    bool arrives;
  };
  for (const row& r : {row{"11", false}, row{"111", true}, row{"1101", false}, row{"11011", false}, row{"110111", true},
                       row{"1.1.1", true},  // a release that fails half of its answers
                       row{"11.", false}, row{"1b11", false}, row{"1b111", true}, row{"0000", false}}) {
    CAPTURE(r.looks);
    watch w;
    w.sees(3);
    w.names.slot = green;
    w.sees(r.looks);
    CHECK((w.t.now->live.slot == green) == r.arrives);
  }
}

TEST_CASE("a_row_of_witnesses_does_not_wait_for_ever") {
  watch w;
  w.sees(3);
  w.names.slot = green;
  w.sees("11").sees(".", 31s).sees("11");
  CHECK(w.t.now->live.slot == blue);
  w.sees("1");
  CHECK(w.t.now->live.slot == green);
}

TEST_CASE("a_cached_answer_is_no_witness_of_a_change") {
  watch w;
  w.sees(3);
  w.names.slot = green;
  w.reached = green;
  for (int i = 0; i < 5; ++i) {
    w.passes(1s);
    sighting seen = w.sight();
    seen.fresh = false;
    w.take(seen);
  }
  CHECK(w.t.now->live.slot == blue);
  CHECK(wants_fresh_look(w.t));
  w.sees(3);
  CHECK(w.t.now->live.slot == green);
  w.sees(1);
  CHECK_FALSE(wants_fresh_look(w.t));
}

TEST_CASE("a_dead_release_is_still_the_live_one") {
  watch w;
  w.green_after(20min);
  w.well[green] = false;
  w.sees(100);
  CHECK(w.t.now->live == placed{green, "v2"});
  CHECK(w.t.is == agreement::agreed);
  CHECK(w.epochs == 2);
}

TEST_CASE("a_switch_that_is_not_followed_is_said_once_after_30_s") {
  watch w;
  w.sees(3);
  w.names.slot = green;
  w.sees(30);
  CHECK(w.heard("deployment.switch_not_in_effect") == 0);
  w.sees(1);
  CHECK(w.heard("deployment.switch_not_in_effect") == 1);
  CHECK(w.told.back().says.find("nginx -s reload") != std::string::npos);
  CHECK(w.told.back().says.find("cache") != std::string::npos);
  w.sees(100);
  CHECK(w.heard("deployment.switch_not_in_effect") == 1);
  CHECK(w.t.now->live.slot == blue);
  // The switch goes back: nothing has happened, and the next time it is said again.
  w.names.slot = blue;
  w.sees(1);
  CHECK(w.t.is == agreement::agreed);
  w.names.slot = green;
  w.sees(31);
  CHECK(w.heard("deployment.switch_not_in_effect") == 2);
  CHECK(w.epochs == 1);
}

TEST_CASE("a_switch_that_goes_on_to_a_third_slot_has_its_time_again") {
  watch w;
  w.by.slots.emplace_back("red");
  w.releases.emplace_back("v3");
  w.well.push_back(true);
  w.sees(3);
  w.names.slot = green;
  w.sees(20);
  w.names.slot = 2;
  w.sees(20);
  CHECK(w.heard("deployment.switch_not_in_effect") == 0);
  w.sees(11);
  CHECK(w.heard("deployment.switch_not_in_effect") == 1);
}

TEST_CASE("a_switch_that_went_back_is_agreed_with_until_a_witness_says_otherwise") {
  watch w;
  w.sees(3);
  w.names.slot = green;
  w.sees(1);
  CHECK(w.t.is == agreement::following);
  w.names.slot = blue;
  w.sees(".");
  CHECK(w.t.is == agreement::agreed);
}

TEST_CASE("what_users_reach_says_nothing_while_the_switch_names_no_slot") {
  for (const auto kind : {intent::kind::unreadable, intent::kind::neither}) {
    watch w;
    w.sees(3);
    w.names.is = kind;
    w.reached = green;
    w.sees(10);
    CHECK(w.t.now->live.slot == blue);
    CHECK(w.epochs == 1);
    CHECK(w.t.names.is == kind);
  }
}

TEST_CASE("where_no_switch_can_be_read_what_users_reach_stands_for_it") {
  watch w;
  w.by.effect_is_intent = true;
  w.names.is = intent::kind::unreadable;
  w.sees(3);
  CHECK(w.t.now->live.slot == blue);
  w.reached = green;
  w.sees(3);
  CHECK(w.t.now->live.slot == green);
  CHECK(w.t.now->is == epoch::kind::switched);
}

// nginx's own doing.

TEST_CASE("a_backup_server_is_a_failover_and_no_cutover") {
  watch w;
  w.green_after(20min);
  w.sees("00");
  CHECK(w.t.is == agreement::agreed);
  w.sees("0");
  CHECK(w.t.is == agreement::failover);
  CHECK(w.heard("deployment.failover") == 1);
  w.sees(std::string(200, '0'));
  CHECK(w.heard("deployment.failover") == 1);
  CHECK(w.epochs == 2);
  CHECK(w.t.now->live.slot == green);
  CHECK(w.t.now->back->to.slot == blue);
  w.sees("11");
  CHECK(w.t.is == agreement::failover);
  w.sees("1");
  CHECK(w.t.is == agreement::agreed);
}

TEST_CASE("weights_are_mixed_until_a_minute_has_shown_one_slot_alone") {
  watch w;
  w.green_after(20min);
  w.sees("01");
  CHECK(w.t.is == agreement::agreed);
  w.sees("0");
  CHECK(w.t.is == agreement::mixed);
  CHECK(w.heard("deployment.mixed") == 1);
  // Ten equal looks are nothing, however fast they come.
  w.sees(std::string(100, '1'), 100ms);
  CHECK(w.t.is == agreement::mixed);
  w.sees(std::string(45, '1'));
  CHECK(w.t.is == agreement::mixed);
  w.sees(std::string(20, '1'));
  CHECK(w.t.is == agreement::agreed);
  CHECK(w.epochs == 2);
}

TEST_CASE("users_at_both_slots_in_each_look_are_mixed") {
  watch w;
  w.green_after(20min);
  w.sees("bb");
  CHECK(w.t.is == agreement::mixed);
  CHECK(w.heard("deployment.failover") == 0);
}

TEST_CASE("twice_in_more_than_a_minute_is_not_mixed") {
  watch w;
  w.green_after(20min);
  w.sees("01").sees("1", 62s).sees("01");
  CHECK(w.t.is == agreement::agreed);
}

TEST_CASE("a_canary's_answers_are_expected") {
  watch w;
  w.by.canary = blue;
  w.sees(3);
  w.flips(green);
  w.sees("01010b0b000");
  CHECK(w.t.is == agreement::agreed);
  CHECK(w.t.now->live.slot == green);
  CHECK(w.heard("deployment.mixed") + w.heard("deployment.failover") == 0);
  CHECK(no_way_back(w.t, w.by).find("canary") != std::string::npos);  // and it is never gone back to
}

// A release that changes in place.

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

// The way back, and what is doubtful about it.

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
  CHECK(doubt_of_way_back(w.t, w.by).find("rolled back by a person") != std::string::npos);
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
  open_window(w.t, {green, "v2"}, w.now, w.by);
  CHECK(w.t.now->is == epoch::kind::opened);
  CHECK(w.t.now->live == placed{blue, "v1"});
  CHECK(w.t.now->back->to == placed{green, "v2"});
  CHECK(w.t.now->number == 2);
  CHECK(no_way_back(w.t, w.by).empty());
}

// A slot's health.

TEST_CASE("healthy_answers_count_a_second_apart_and_in_a_row") {
  watch w;
  w.by.confirm_every = 1s;
  w.sees(3);
  const auto of_green = [&] { return w.t.slots[green].well_in_a_row; };
  w.t.slots[green] = {};
  w.sees(5, 100ms);
  CHECK(of_green() == 1);
  w.sees(1, 600ms);
  CHECK(of_green() == 2);
  w.sees(2, 950ms);  // looks are never quite even
  CHECK(of_green() == 4);
  w.well[green] = false;
  w.sees(1);
  CHECK(of_green() == 0);
  w.well[green] = true;
  w.sees(1);
  CHECK(of_green() == 1);
}

TEST_CASE("healthy_answers_of_one_epoch_don't_count_in_the_next") {
  watch w;
  w.sees(3);
  w.sees(10);
  w.names.slot = w.reached.emplace(green);
  w.sees(3);
  CHECK(w.t.slots[blue].well_in_a_row == 0);
}

// After a restart.

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
