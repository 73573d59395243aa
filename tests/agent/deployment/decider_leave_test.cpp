// What stops a rollback at the last moment, and what is answered for it.

#include "agent/deployment/decider.hpp"
#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;
using rollback::outcome;

TEST_CASE("what_comes_between_the_beginning_and_the_leave_stops_it") {
  struct row {
    std::string name;
    std::function<void(story&)> happens;
    bool prepared_first;
  };
  std::vector<row> table;
  const std::vector<std::pair<std::string, std::function<void(story&)>>> events{
      {"a hold", [](story& w) { w.holds(10min); }},
      {"the breach ends",
       [](story& w) {
         w.rules.clear();
         w.take(judged{});
       }},
      {"the rule's condition is no longer true",
       [](story& w) {
         w.rule().holds = answer::no;
         w.take(judged{});
       }},
      {"the window is closed", [](story& w) { w.types(verb::kind::window_close); }},
      {"the fix is put live in place",
       [](story& w) {
         w.releases[green] = "v3";
         w.look(3);
       }},
      {"a person goes back by hand", [](story& w) { w.flip(blue); }},
      {"the stable slot falls ill",
       [](story& w) {
         w.well[blue] = false;
         w.look();
       }},
      {"mode becomes observe",
       [](story& w) {
         w.by.mode = config::mode::observe;
         w.take(judged{});
       }},
  };
  for (const auto& [name, happens] : events)
    for (const bool first : {false, true}) table.push_back({name, happens, first});
  for (const row& r : table) {
    CAPTURE(r.name);
    CAPTURE(r.prepared_first);
    story w;
    w.green_is_put_live();
    w.breach();
    w.take(judged{});
    REQUIRE(w.begun());
    const std::string id = w.id();
    w.answers = false;
    if (r.prepared_first) {
      w.passes(3s);  // what was asked is too old: it waits for answers
      w.take(prepared{id});
      CHECK_FALSE(w.left());
    }
    w.answers = true;
    r.happens(w);
    if (!r.prepared_first) w.take(prepared{id});
    w.take(judged{});
    CHECK_FALSE(w.left());
    REQUIRE(w.count<stop_rollback>() >= 1);
    CHECK(w.newest<stop_rollback>()->id == id);
    CHECK(!w.newest<stop_rollback>()->why.empty());
    w.ends(outcome::nothing_changed, false);
    CHECK_FALSE(w.s.latched);
  }
}

TEST_CASE("leave_is_given_on_answers_of_this_moment") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.answers = false;
  w.passes(3s);
  w.forget();
  w.take(prepared{w.id()});
  CHECK_FALSE(w.left());
  CHECK(w.count<ask_blame>() == 1);
  w.answer_to(*w.newest<ask_blame>());
  CHECK_FALSE(w.left());
  CHECK(w.count<ask_stable>() == 1);
  w.answer_to(*w.newest<ask_stable>());
  CHECK(w.left());
}

TEST_CASE("who_prepared_another_attempt_gets_no_leave") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.take(prepared{"another"});
  CHECK_FALSE(w.left());
  w.take(changed{"another"});
  CHECK_FALSE(w.s.latched);
  w.take(ended{"another", {}});
  CHECK(w.s.under_way);
}

TEST_CASE("an_attempt_of_one_epoch_gets_no_leave_in_the_next_whatever_is_breached_there") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  const std::string id = w.id();
  w.releases[green] = "v3";
  w.look(3);
  w.breach();  // the fix is sick as well, which is another matter
  w.run(5s);
  w.take(prepared{id});
  CHECK_FALSE(w.left());
  REQUIRE(w.newest<stop_rollback>());
  CHECK(w.newest<stop_rollback>()->why.find("cutover came in between") != std::string::npos);
}

TEST_CASE("a_way_back_that_is_another_one_now_stops_it") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.s.track.now->back->to.release.clear();
  w.take(prepared{w.id()});
  CHECK_FALSE(w.left());
  REQUIRE(w.newest<stop_rollback>());
  CHECK(w.newest<stop_rollback>()->why.find("another one now") != std::string::npos);
}

TEST_CASE("an_attempt_is_given_up_after_a_minute_without_answers") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.answers = false;
  w.passes(3s);
  w.take(prepared{w.id()});
  w.passes(56s);
  w.take(judged{});
  CHECK(w.count<stop_rollback>() == 0);
  w.passes(2s);
  w.take(judged{});
  CHECK(w.count<stop_rollback>() == 1);
  CHECK_FALSE(w.left());
}

TEST_CASE("leave_is_given_once") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.changes();
  w.take(prepared{w.id()});
  w.take(judged{});
  CHECK(w.count<give_leave>() == 1);
}

TEST_CASE("while_a_rollback_is_under_way_no_other_begins_and_no_cutover_is_seen") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.changes();
  w.breach("outage");
  w.names.slot = w.reached.emplace(blue);
  w.run(10s);
  CHECK(w.count<begin_rollback>() == 1);
  CHECK(w.s.track.now->live.slot == green);
  CHECK(w.said("deployment.cutover").empty());
}

// Answers.

TEST_CASE("answers_of_another_epoch_or_another_breach_are_dropped") {
  story w;
  w.green_is_put_live();
  w.answers = false;
  w.breach();
  w.take(judged{});
  const std::uint64_t number = w.s.track.now->number;
  const instant since = w.rule().true_since;
  w.take(stable_answered{{number - 1, blue, w.now.at, true, "v1", "200"}});
  CHECK_FALSE(w.s.stable);
  w.take(blame_answered{"error-rate", number - 1, since, w.now.at, w.found_to_blame});
  CHECK(w.s.blames.empty());
  w.take(blame_answered{"error-rate", number, since - 1s, w.now.at, w.found_to_blame});
  CHECK(w.s.blames.empty());
  w.take(blame_answered{"another", number, since, w.now.at, w.found_to_blame});
  CHECK(w.s.blames.empty());
  w.s.ready.reset();
  w.take(ready_looked{{w.s.track.now->began.at - 1ns, {}}});
  CHECK_FALSE(w.s.ready);
  CHECK_FALSE(w.begun());
}

TEST_CASE("what_was_answered_in_one_epoch_is_forgotten_in_the_next") {
  story w;
  w.green_is_put_live();
  w.by.mode = config::mode::ask;
  w.breach();
  w.run(3s);
  CHECK(w.s.questions.size() == 1);
  CHECK(w.s.blames.size() == 1);
  w.take(stable_answered{{w.s.track.now->number, blue, w.now.at, true, "v1", "200"}});
  CHECK(w.s.stable);
  w.releases[green] = "v3";
  w.answers = false;
  w.look(3);
  CHECK(w.s.track.now->is == epoch::kind::in_place);
  CHECK(w.s.questions.empty());
  CHECK(w.s.blames.empty());
  CHECK_FALSE(w.s.stable);
  CHECK_FALSE(w.s.ready);
  CHECK(w.s.said.empty());
  CHECK(w.s.last.empty());
}

TEST_CASE("one_question_at_a_time_unless_it_is_lost") {
  story w;
  w.green_is_put_live();
  w.answers = false;
  w.breach();
  for (int i = 0; i < 29; ++i) {
    w.take(judged{});
    w.passes(1s);
  }
  CHECK(w.count<ask_blame>() == 1);
  w.passes(2s);
  w.take(judged{});
  CHECK(w.count<ask_blame>() == 2);
}

TEST_CASE("after_both_well_or_both_fail_only_what_comes_later_counts") {
  story w;
  w.green_is_put_live();
  w.found_to_blame = {blame::kind::both_fail, "both fail"};
  w.breach();
  w.run(20s);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("both fail") == 1);
  const instant since = w.rule().true_since;
  const auto failed = mark_of(w.s, "error-rate", since);
  REQUIRE(failed);
  CHECK(*failed > w.now.at - 6s);                   // the last of them counts
  CHECK(mark_of(w.s, "another", since) == failed);  // what both fail is no release's, whichever rule asks
  CHECK_FALSE(mark_of(w.s, "error-rate", *failed + sick_alike + 1s));
  // It ends on blue first. The window remembers, and nobody acts on that.
  w.found_to_blame = {blame::kind::release_to_blame, "green fails what blue does well"};
  w.rule().above_since_mark = answer::cant_tell;
  w.run(60s);
  CHECK_FALSE(w.begun());
  w.rule().above_since_mark = answer::no;
  w.run(5s);
  CHECK_FALSE(w.begun());
  w.rule().above_since_mark = answer::yes;
  w.run(6s);
  CHECK(w.begun());
}

TEST_CASE("the_first_both_well_counts") {
  story w;
  w.green_is_put_live();
  w.found_to_blame = {blame::kind::both_well, "both do well"};
  w.breach();
  w.take(judged{});
  const auto first = mark_of(w.s, "error-rate", w.rule().true_since);
  REQUIRE(first);
  w.run(30s);
  CHECK(mark_of(w.s, "error-rate", w.rule().true_since) == first);
  w.rules.clear();
  w.run(1s);
  w.breach();
  w.take(judged{});
  CHECK(mark_of(w.s, "error-rate", w.rule().true_since) > first);  // of this breach
}

TEST_CASE("of_both_well_and_both_fail_the_later_counts") {
  story w;
  w.green_is_put_live();
  w.found_to_blame = {blame::kind::both_well, "both do well"};
  w.breach();
  w.take(judged{});
  const auto well_at = mark_of(w.s, "error-rate", w.rule().true_since);
  w.found_to_blame = {blame::kind::both_fail, "both fail"};
  w.run(20s);
  CHECK(mark_of(w.s, "error-rate", w.rule().true_since) > well_at);
}

TEST_CASE("a_stable_slot_that_was_sick_as_well_is_trusted_once_what_came_after_is_above_the_limit") {
  story w;
  w.green_is_put_live();
  w.well[blue] = false;
  w.breach().above_since_mark = answer::cant_tell;
  w.run(20s);
  w.well[blue] = true;
  const instant last_sick = w.now.at;
  w.run(30s);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("the stable slot was sick at that time, too") == 1);
  CHECK(mark_of(w.s, "error-rate", w.rule().true_since) <= last_sick);
  w.rule().above_since_mark = answer::yes;
  w.run(6s);
  CHECK(w.begun());
}

TEST_CASE("where_there_was_no_doubt_there_is_no_mark") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.run(2s);
  CHECK_FALSE(mark_of(w.s, "error-rate", w.rule().true_since));
}

TEST_CASE("what_a_breach_will_need_is_looked_at_while_the_rule_is_pending") {
  story w;
  w.green_is_put_live();
  w.run(2min);
  w.forget();
  w.run(10s);
  CHECK(w.count<ask_ready>() == 0);
  w.pending(1min);
  w.take(judged{});
  CHECK(w.count<ask_ready>() == 1);
}
