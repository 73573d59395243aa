// A slot that could not be asked, by our own doing: nothing new is known of it, and it is blamed for nothing.

#include "tests/agent/deployment/story.hpp"
#include "tests/agent/deployment/watch.hpp"

using namespace flipback;
using namespace flipback::deployment;

TEST_CASE("what_was_known_of_a_slot_that_could_not_be_asked_stays_but_for_its_row_of_good_answers") {
  watch w;
  w.green_after(3min).sees(10);
  const slot_knowledge before = w.t.slots[blue];
  REQUIRE(before.well_in_a_row >= w.by.confirm);
  w.can_be_asked[blue] = false;
  w.sees(5);
  const slot_knowledge& known = w.t.slots[blue];
  CHECK(known.not_asked);
  CHECK(known.well);
  CHECK(known.release == "v1");
  CHECK(known.identity == before.identity);
  CHECK(known.well_in_a_row == 0);
  CHECK_FALSE(known.was_down);
  CHECK_FALSE(known.sick);
  CHECK(doubt_of_way_back(w.t, w.by).empty());
  w.can_be_asked[blue] = true;
  w.sees(1);
  CHECK_FALSE(known.not_asked);
  CHECK(known.well_in_a_row == 1);
}

TEST_CASE("a_sick_slot_that_could_not_be_asked_is_no_better") {
  watch w;
  w.green_after(3min);
  w.well[blue] = false;
  w.sees(1);
  const auto sick = w.t.slots[blue].sick;
  REQUIRE(sick);
  w.can_be_asked[blue] = false;
  w.sees(3);
  CHECK_FALSE(w.t.slots[blue].well);
  CHECK(w.t.slots[blue].sick == sick);
}

TEST_CASE("a_rollback_waits_until_the_stable_slot_can_be_asked_and_sets_no_mark_meanwhile") {
  story w;
  w.green_is_put_live();
  w.can_be_asked[blue] = false;
  w.breach().above_since_mark = answer::no;
  w.run(30s);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("error-rate: blue can't be asked (too many open files)") == 1);
  CHECK(w.times_said("sick") == 0);
  CHECK_FALSE(mark_of(w.s, "error-rate", w.rule().true_since));
  w.can_be_asked[blue] = true;
  w.run(30s);
  CHECK(w.begun());
}

TEST_CASE("a_slot_that_could_not_be_asked_is_asked_again_after_a_while_and_not_at_once") {
  story w;
  w.green_is_put_live();
  w.answers = false;
  w.breach();
  w.run(2s);
  w.forget();
  const auto cant_be_asked = [&] {
    w.take(stable_answered{{w.s.track.now->number, blue, w.now.at, false, {}, "too many open files", {}, true}});
  };
  w.can_be_asked[blue] = false;
  w.s.ready = known_readiness{w.now.at, {}};
  cant_be_asked();
  w.forget();
  for (int i = 0; i < 10; ++i) cant_be_asked();
  CHECK(w.count<ask_stable>() == 0);
  w.passes(5s);
  w.take(judged{});
  CHECK(w.count<ask_stable>() == 1);
}

TEST_CASE("an_answer_that_could_not_be_had_is_no_sickness") {
  story w;
  w.green_is_put_live();
  w.take(stable_answered{{w.s.track.now->number, blue, w.now.at, false, {}, "too many open files", {}, true}});
  REQUIRE(w.s.stable);
  CHECK(w.s.stable->not_asked);
  CHECK_FALSE(w.s.track.slots[blue].sick);
  CHECK_FALSE(w.keeps(fact::epoch));
}

TEST_CASE("a_person_who_orders_a_rollback_to_a_slot_that_cant_be_asked_is_told_so_and_how_to_force_it") {
  story w;
  w.green_is_put_live();
  w.can_be_asked[blue] = false;
  w.look();
  const auto refused = w.types(verb::kind::rollback);
  REQUIRE(refused);
  CHECK_FALSE(refused->first);
  CHECK(refused->second.find("blue can't be asked (too many open files)") != std::string::npos);
  CHECK(refused->second.find("`flipback rollback --force --reason TEXT`") != std::string::npos);
  CHECK(refused->second.find("sick") == std::string::npos);
  CHECK_FALSE(w.begun());
  w.types(verb::kind::rollback, true);
  CHECK(w.begun());
}
