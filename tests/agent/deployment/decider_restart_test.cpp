// What outlasts a restart.

#include "agent/deployment/facts.hpp"
#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;
using rollback::outcome;

namespace {

started remembered(const story& w) {
  started made;
  made.recalled = what_would_be_recalled(w.s, w.now);
  made.in_doubt = doubts_to_keep(w.s, w.now);
  made.departures = w.s.track.departures;
  made.held = w.s.held;
  made.latched = w.s.latched;
  made.failures = w.s.failures;
  return made;
}

void restarts(story& w, const started& with, duration away = 5s) {
  w.s = {};
  w.rules.clear();
  w.forget();
  w.passes(away);
  w.take(with);
}

}  // namespace

TEST_CASE("hold_latch_and_window_outlast_a_restart") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.changes();
  w.ends(outcome::undone, true, green);
  restarts(w, remembered(w));
  w.look(3);
  CHECK(w.s.window_was_open);
  w.breach();
  w.run(10s);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("`flipback unlatch --yes`") == 1);

  story held;
  held.green_is_put_live();
  held.holds(1h);
  restarts(held, remembered(held));
  held.look(3);
  held.breach();
  held.run(10s);
  CHECK_FALSE(held.begun());
  CHECK(held.times_said("held by ada") == 1);

  story free;
  free.green_is_put_live();
  restarts(free, remembered(free));
  free.look(6);
  free.breach();
  free.run(5s);
  CHECK(free.begun());
}

TEST_CASE("a_cutover_that_is_seen_only_after_a_restart_and_lay_before_the_attempt_opens_no_latch") {
  story w;
  w.look(3);
  w.run(3min);
  started with = remembered(w);  // the newest record that came to the disk
  w.names.changed = w.now.wall + 500ms;
  w.flip(green);
  w.run(10s);
  w.breach();
  w.take(judged{});
  w.changes();
  w.ends(outcome::undone, true, green);
  REQUIRE(w.s.latched);
  with.latched = w.s.latched;
  restarts(w, with);
  w.look(6);
  REQUIRE(w.s.track.now);
  CHECK(w.s.track.now->live.slot == green);
  REQUIRE(w.s.latched);
  CHECK(w.s.latched->epoch == w.s.track.now->number);
  w.breach();
  w.run(10s);
  CHECK_FALSE(w.begun());
}

TEST_CASE("rules_start_anew_and_room_is_made_after_a_restart") {
  story w;
  w.green_is_put_live();
  const instant began = w.s.track.now->began.at;
  restarts(w, remembered(w));
  w.look(3);
  REQUIRE(w.newest<start_rules_anew>());
  CHECK(w.newest<start_rules_anew>()->at == began);
  REQUIRE(w.newest<stage_for>());
  CHECK(w.newest<stage_for>()->slot == blue);
}

TEST_CASE("a_rule_that_was_pending_goes_on_after_a_restart_and_one_that_was_so_before_does_not") {
  story w;
  w.green_is_put_live();
  rule_now& r = w.pending(5min);
  r.meaning = "more than 5%";
  r.bridged = 3s;
  const instant since = r.true_since;
  w.run(10s);
  const instant last = w.now.at;
  const auto carried = [&] {
    story again = w;
    restarts(again, remembered(again));
    again.look(3);
    const auto anew = again.newest<start_rules_anew>();
    REQUIRE(anew);
    return anew->known;
  };
  std::map<std::string, trouble> known = carried();
  REQUIRE(known.contains("error-rate"));
  CHECK(known["error-rate"].since == since);
  CHECK(known["error-rate"].last.at == last);
  CHECK(known["error-rate"].meaning == "more than 5%");
  CHECK(known["error-rate"].bridged == 3s);
  w.rules.clear();
  w.forget();
  w.take(judged{});
  CHECK(w.count<keep>() == 1);  // that it is so no more is on disk before long
  known = carried();
  CHECK_FALSE(known["error-rate"].since);
}

TEST_CASE("a_clock_that_is_behind_ends_the_window_and_keeps_the_hold") {
  story w;
  w.green_is_put_live();
  started with = remembered(w);
  with.recalled->clock_is_behind = with.recalled->other_boot = true;
  restarts(w, with);
  w.look(6);
  w.breach();
  w.run(1min);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("window is over") == 1);
}

TEST_CASE("after_a_boot_it_acts_once_the_live_slot_has_been_well") {
  story w;
  w.log = true;
  w.green_is_put_live();
  started with = remembered(w);
  with.recalled->other_boot = true;
  restarts(w, with);
  w.well[green] = false;
  w.look(3);
  w.breach();
  w.run(20s);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("has not been well since this machine was started") == 1);
  w.well[green] = true;
  w.look();
  w.well[green] = false;
  w.run(5s);
  CHECK(w.begun());
}

TEST_CASE("facts_that_can't_be_read_for_the_same_cause_are_told_in_one_sentence") {
  story w;
  started with;
  with.unreadable = {{"epoch", "the disk is gone"}, {"hold", "the disk is gone"}, {"latch", "it is damaged"}};
  restarts(w, with);
  CHECK(w.said("store.unreadable").size() == 2);
  CHECK(w.times_said("what was remembered of the epoch, hold can't be read (the disk is gone)") == 1);
  CHECK(w.s.unreadable.size() == 3);
}

TEST_CASE("a_breach_without_a_record_says_that_the_record_can't_be_read_and_what_to_type") {
  for (const bool epoch_is_read : {true, false}) {
    CAPTURE(epoch_is_read);
    story w;
    w.green_is_put_live();
    started with;
    if (!epoch_is_read) with.unreadable = {{"epoch", "the database is damaged"}};
    restarts(w, with);
    w.look(6);
    CHECK(w.times_said("which slot to go back to is not known either: `flipback window open --stable SLOT` says which") ==
          (epoch_is_read ? 0 : 1));
    w.breach();
    w.run(5s);
    CHECK_FALSE(w.begun());
    CHECK(w.said("rollback.blocked").size() == (epoch_is_read ? 0 : 1));
    CHECK(w.times_said(
              "what was remembered of the epoch could not be read at the start, so that it is not known whether there was a cutover") ==
          (epoch_is_read ? 0 : 1));
    CHECK(w.times_said("no cutover has been seen") >= (epoch_is_read ? 1 : 0));
  }
}

TEST_CASE("facts_that_can't_be_read_are_never_none_until_the_next_cutover") {
  for (const bool epoch_is_read : {true, false}) {
    CAPTURE(epoch_is_read);
    story w;
    w.green_is_put_live();
    started with = remembered(w);
    if (!epoch_is_read) with.recalled.reset();
    with.unreadable = {{"hold", "it is damaged"}};
    restarts(w, with);
    CHECK(w.said("store.unreadable").size() == 1);
    w.look(6);
    CHECK_FALSE(w.s.unreadable.empty());
    if (!epoch_is_read) {
      verb open;
      open.is = verb::kind::window_open;
      open.slot = blue;
      CHECK(w.types(open)->first);
      w.look(6);
    }
    w.breach();
    w.run(5s);
    CHECK_FALSE(w.begun());
    CHECK(w.times_said("`flipback approve`") >= 1);
    w.rules.clear();
    w.releases[green] = "v3";
    w.look(6);
    CHECK(w.s.unreadable.empty());
    if (!epoch_is_read) continue;
    w.breach();
    w.run(5s);
    CHECK(w.begun());
  }
}

TEST_CASE("a_rule_that_was_not_this_releases_before_a_restart_is_not_after_it") {
  story w;
  w.green_is_put_live();
  w.not_this_release = {"error-rate"};  // known at the cutover, long before the rule's window is full
  w.look();
  CHECK(w.keeps(fact::epoch));
  w.not_this_release.clear();
  restarts(w, remembered(w));
  w.look(6);
  w.breach();
  w.run(10s);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("this release may not be to blame") == 1);
  w.rules.clear();
  w.releases[green] = "v3";
  w.look(6);
  CHECK(w.s.in_doubt == doubts{});
}

TEST_CASE("of_a_cutover_that_is_seen_only_after_a_restart_the_errors_before_it_are_known") {
  for (const bool in_trouble : {true, false}) {
    CAPTURE(in_trouble);
    story w;
    w.green_is_put_live();
    w.run(20min);
    if (in_trouble) w.breach();
    w.by.mode = config::mode::observe;
    w.run(6s);
    w.by.mode = config::mode::act;
    const started with = remembered(w);
    w.releases[blue] = "v3";
    w.names = {intent::kind::names, blue, {}, w.now.wall + 2s};
    w.reached = blue;
    restarts(w, with);
    w.look(6);
    REQUIRE(w.s.track.now->live.slot == blue);
    CHECK(w.s.track.now->back->doubt.empty() != in_trouble);
    CHECK(w.s.in_doubt.not_this_release.contains("error-rate") == in_trouble);
    w.breach();
    w.run(10s);
    CHECK(w.begun() != in_trouble);
  }
}

TEST_CASE("a_rule_that_was_withheld_before_a_restart_is_until_its_unless_is_known_again") {
  story w;
  w.green_is_put_live();
  w.breach().withheld = answer::yes;
  w.run(3s);
  restarts(w, remembered(w));
  w.look(6);
  w.breach().withheld = answer::cant_tell;
  w.run(10s);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("its unless was true") + w.times_said("unless was true, and is not known now") >= 1);
  w.rules.front().withheld = answer::no;
  w.run(6s);
  CHECK(w.begun());
}

TEST_CASE("an_outage_that_both_slots_had_before_a_restart_is_not_held_against_the_release_after_it") {
  for (const bool above : {false, true}) {
    CAPTURE(above);
    story w;
    w.green_is_put_live();
    w.found_to_blame = {blame::kind::both_fail, "both slots fail"};
    w.breach();
    w.run(30s);
    restarts(w, remembered(w));
    w.found_to_blame = {blame::kind::cant_tell, "can't tell"};
    w.look(6);
    w.breach().above_since_mark = above ? answer::yes : answer::no;
    w.run(10s);
    CHECK(w.begun() == above);
  }
}

TEST_CASE("an_outage_that_was_over_long_before_the_breach_began_is_no_matter_after_a_restart_either") {
  story w;
  w.green_is_put_live();
  w.found_to_blame = {blame::kind::both_fail, "both slots fail"};
  w.breach();
  w.run(30s);
  w.rules.clear();
  w.run(2min);
  restarts(w, remembered(w));
  REQUIRE(w.s.in_doubt.mark);
  w.found_to_blame = {blame::kind::release_to_blame, "green fails, blue is well"};
  w.look(6);
  w.breach().above_since_mark = answer::no;
  CHECK_FALSE(mark_of(w.s, "error-rate", w.rule().true_since));
  w.run(10s);
  CHECK(w.begun());
}

TEST_CASE("after_a_boot_and_a_restart_the_live_slot_has_still_to_be_well") {
  story w;
  w.log = true;
  w.green_is_put_live();
  started booted = remembered(w);
  booted.recalled->other_boot = true;
  w.well[green] = false;
  restarts(w, booted);
  w.look(6);
  restarts(w, remembered(w));
  w.look(6);
  w.breach();
  w.run(10s);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("has not been well since this machine was started") == 1);
}

TEST_CASE("users_that_reached_both_slots_before_a_restart_may_still_for_a_minute") {
  story w;
  w.green_is_put_live();
  w.s.track.is = agreement::mixed;
  restarts(w, remembered(w));
  w.look(3);
  CHECK(w.s.track.is == agreement::mixed);
  w.breach();
  w.run(30s);
  CHECK_FALSE(w.begun());
  w.run(40s);
  CHECK(w.s.track.is == agreement::agreed);
  CHECK(w.begun());
}

TEST_CASE("releases_that_came_and_went_before_a_restart_are_counted_after_it") {
  story w;
  w.green_is_put_live();
  for (const char* next : {"v3", "v4"}) {
    w.releases[green] = next;
    w.look(6);
  }
  const std::uint64_t number = w.s.track.now->number;
  restarts(w, remembered(w));
  w.look(3);
  w.releases[green] = "v5";
  w.look(6);
  CHECK(w.s.track.now->number == number);
  CHECK(w.said("deployment.no_release").size() == 1);
}

TEST_CASE("the_front_door_may_have_failed_in_the_minute_before_a_start") {
  story w;
  w.green_is_put_live();
  restarts(w, remembered(w));
  REQUIRE(w.s.track.door_failed);
  CHECK(*w.s.track.door_failed == w.now.at);
}

TEST_CASE("a_rollback_that_was_cut_off_is_recovered_first") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.changes();
  started with = remembered(w);
  with.cut_off = *w.s.under_way;
  with.cut_off->recovery = false;  // whatever was made of the journal, which knows of no epochs
  with.cut_off->epoch = 0;
  restarts(w, with);
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.recovery);
  CHECK_FALSE(w.s.track.now);
  w.look(5);
  CHECK_FALSE(w.s.track.now);  // no look decides while it is under way
  w.names.slot = w.reached.emplace(blue);
  w.ends(outcome::rolled_back, true, blue);
  CHECK(w.s.track.now->is == epoch::kind::rolled_back);
  CHECK(w.s.track.now->number == with.recalled->then.number + 1);
  CHECK(w.said("rollback.recovered").size() == 1);
  w.run(1min);
  CHECK(w.said("deployment.cutover").empty());  // the own rollback is nobody's cutover
  CHECK(w.s.failures.front().what.slot == green);
}

TEST_CASE("cut_off_before_its_first_change_it_is_decided_anew") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.changes();  // the latch was stored, and the file was not
  started with = remembered(w);
  with.cut_off = *w.s.under_way;
  with.cut_off->epoch = 0;
  restarts(w, with);
  w.forget();
  w.ends(outcome::nothing_changed, false);
  CHECK_FALSE(w.s.latched);
  CHECK(w.keeps(fact::latch));
  CHECK_FALSE(w.keeps(fact::epoch));  // nothing is known of it yet: what is remembered stays
  w.look(6);
  w.breach();
  w.run(5s);
  CHECK(w.begun());
}

TEST_CASE("what_a_recovery_undid_stays_latched") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.changes();
  started with = remembered(w);
  with.latched.reset();  // it was not stored any more
  with.cut_off = *w.s.under_way;
  with.cut_off->epoch = 0;
  restarts(w, with);
  w.take(changed{w.id()});
  w.ends(outcome::undone, true, green);
  w.look(6);
  w.forget();
  w.breach();
  w.run(10s);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("`flipback unlatch --yes`") == 1);
}

TEST_CASE("a_rollback_that_is_recovered_after_it_was_kept_leaves_no_doubt_about_where_it_led") {
  story w;
  w.green_is_put_live().is_rolled_back();
  started with = remembered(w);
  attempt again;
  again.id = "1";
  again.from = {green, "v2"};
  again.to = {blue, "v1"};
  with.cut_off = again;
  restarts(w, with);
  w.ends(outcome::rolled_back, true, blue);
  CHECK(std::ranges::none_of(w.s.track.departures, [](const departure& d) { return d.what.slot == blue && !d.doubt.empty(); }));
  CHECK(w.s.track.now->before == placed{green, "v2"});
}

TEST_CASE("that_it_is_not_known_which_slot_is_live_is_said_once_the_first_looks_had_their_time") {
  story w;
  w.green_is_put_live();
  restarts(w, remembered(w));
  w.breach();
  w.passes(100ms);
  w.take(judged{});
  CHECK(w.times_said("it is not known which slot is live") == 0);
  w.passes(800ms);
  w.take(judged{});
  CHECK(w.times_said("it is not known which slot is live") == 1);
}

TEST_CASE("state_that_can't_be_stored_and_a_stable_slot_that_is_down_are_lacking") {
  story w;
  w.green_is_put_live();
  w.take(stored{"hold", "no space left on device"});
  w.well[blue] = false;
  w.run(2s);
  CHECK(w.said("deployment.not_ready").size() == 2);
  CHECK(w.times_said("the state can't be stored, and would not outlast a restart (hold: no space left on device)") == 1);
  CHECK(w.times_said("blue, the slot to go back to, is down; start it") == 1);
  w.forget();
  w.well[blue] = true;
  w.take(stored{"hold", ""});
  w.run(2s);
  w.well[blue] = false;
  w.run(2s);
  CHECK(w.said("deployment.not_ready").size() == 1);
}

TEST_CASE("the_epoch_is_kept_every_5_s") {
  story w;
  w.green_is_put_live();
  w.look(20);
  CHECK(std::ranges::count_if(w.did, [](const action& a) {
          const auto* k = std::get_if<keep>(&a);
          return k && k->what == fact::epoch;
        }) == 4);
}

TEST_CASE("a_fact_that_can't_be_stored_is_said_once_and_so_is_that_it_was") {
  story w;
  w.take(stored{"hold", "no space left on device"});
  w.take(stored{"hold", "no space left on device"});
  CHECK(w.said("store.failed").size() == 1);
  CHECK(w.s.unstored.size() == 1);
  w.take(stored{"hold", ""});
  w.take(stored{"hold", ""});
  CHECK(w.said("store.stored").size() == 1);
  CHECK(w.s.unstored.empty());
}

TEST_CASE("the_names_of_facts") {
  CHECK(name_of(fact::epoch) == "epoch");
  CHECK(name_of(fact::hold) == "hold");
  CHECK(name_of(fact::latch) == "latch");
  CHECK(name_of(fact::failures) == "failures");
}
