#include "agent/deployment/tracker.hpp"

#include "tests/agent/deployment/watch.hpp"

using namespace flipback;
using namespace flipback::deployment;

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
  w.sees("010");  // what a look saw may be as old as the look before, so that these may be one change
  CHECK(w.t.is == agreement::agreed);
  w.sees("10");
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
  w.sees("bbbb", 50ms);
  CHECK(w.t.is == agreement::agreed);
  w.sees("bbb");
  CHECK(w.t.is == agreement::mixed);
  CHECK(w.heard("deployment.failover") == 0);
}

TEST_CASE("a_reload_that_brings_users_back_is_not_mixed") {
  // A person put the live file back to green while users were at blue, and nginx is reloaded: for 100 ms both generations of workers
  // accept.
  struct {
    std::string name, looks;
    duration apart;
  } const cases[] = {
      {"hurried looks in between", "0001010101", 50ms},
      {"users' lines of the old workers, since the look before", "0001b", 1s},
      {"the old workers' last line alone, since the look before", "00010", 1s},
      {"both in several looks", "000bbb", 50ms},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    watch w;
    w.green_after(20min);
    w.sees(c.looks, c.apart).sees("111");
    CHECK(w.t.is == agreement::agreed);
    CHECK(w.heard("deployment.mixed") == 0);
    CHECK(w.heard("deployment.failover") == 1);
  }
}

TEST_CASE("a_reload_that_takes_users_away_is_a_failover_and_not_mixed") {
  watch w;
  w.green_after(20min);
  w.sees("0101b10", 50ms).sees("000");
  CHECK(w.t.is == agreement::failover);
  CHECK(w.heard("deployment.mixed") == 0);
}

TEST_CASE("a_look_that_saw_the_change_to_a_backup_server_saw_one_turn") {
  watch w;
  w.green_after(20min);
  w.sees("b00");
  CHECK(w.t.is == agreement::failover);
  CHECK(w.heard("deployment.mixed") == 0);
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
