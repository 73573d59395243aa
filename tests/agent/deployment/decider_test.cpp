#include "agent/deployment/decider.hpp"

#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;
using rollback::outcome;

// From a breach to a rollback.

TEST_CASE("a_breach_in_the_window_is_rolled_back") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  REQUIRE(w.begun());
  const attempt a = w.newest<begin_rollback>()->what;
  CHECK(a.from == placed{green, "v2"});
  CHECK(a.to == placed{blue, "v1"});
  CHECK(a.epoch == w.s.track.now->number);
  CHECK(a.why.rule == "error-rate");
  CHECK_FALSE(w.s.latched);  // nothing is changed yet
  w.take(prepared{w.id()});
  CHECK(w.left());
  CHECK(w.said("rollback.decided").size() == 1);
  CHECK_FALSE(w.s.latched);
  w.take(changed{w.id()});
  REQUIRE(w.s.latched);
  CHECK(w.keeps(fact::latch));
  CHECK(w.s.latched->epoch == w.s.track.now->number);
  w.names.slot = w.reached.emplace(blue);
  w.ends(outcome::rolled_back, true, blue);
  CHECK(w.s.track.now->is == epoch::kind::rolled_back);
  CHECK(w.s.track.now->live == placed{blue, "v1"});
  CHECK(w.s.failures.size() == 1);
  CHECK(w.s.failures.front().what == placed{green, "v2"});
  CHECK(w.keeps(fact::failures));
  CHECK(w.keeps(fact::epoch));
  CHECK(w.count<close_journal>() == 1);
  CHECK(w.newest<start_rules_anew>()->forgive);
}

TEST_CASE("a_rollback_is_never_rolled_back") {
  story w;
  w.green_is_put_live().is_rolled_back();
  w.forget();
  w.run(1min);
  CHECK(w.said("deployment.cutover").empty());
  w.breach();
  w.run(1h);
  CHECK_FALSE(w.begun());
  CHECK(w.said("rollback.withheld").size() == 1);
  CHECK(w.s.track.now->live.slot == blue);
}

TEST_CASE("what_is_kept_comes_before_the_journal_forgets") {
  story w;
  w.green_is_put_live().is_rolled_back();
  std::vector<std::string> order;
  for (const action& a : w.did) {
    if (const auto* k = std::get_if<keep>(&a)) order.emplace_back(name_of(k->what));
    if (std::holds_alternative<close_journal>(a)) order.emplace_back("closed");
  }
  const auto closed = std::ranges::find(order, "closed");
  for (const char* what : {"latch", "failures", "epoch"}) {
    CHECK(std::find(order.begin(), closed, what) != closed);
    CHECK(std::find(closed, order.end(), what) == order.end());
  }
}

TEST_CASE("what_began_before_a_cutover_never_acts_after_it") {
  // Blue is breached, and the fix is put live: the breach is not the fix's.
  story w;
  w.look(3);
  w.breach();
  w.run(1min);
  const rule_now old = w.rule();
  w.flip(green);
  w.rules = {old};  // even where the rules still say so
  w.run(1min);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("before the cutover") == 1);
  CHECK(w.newest<start_rules_anew>()->at == w.s.track.now->began.at);
}

TEST_CASE("in_the_step_of_a_cutover_nothing_is_decided") {
  story w;
  w.look(3);
  w.run(3min);
  w.names.slot = w.reached.emplace(green);
  w.look(2);
  w.forget();
  w.answers = false;
  // The rules are asked in the same instant, and were not started anew.
  w.breach().true_since = w.now.at + 1h;
  w.passes(1s);
  w.take(looked{w.sight()});
  REQUIRE(w.s.track.now->live.slot == green);
  CHECK_FALSE(w.begun());
  CHECK(w.count<ask_blame>() == 0);
  REQUIRE(!w.did.empty());
  CHECK(std::holds_alternative<start_rules_anew>(w.did.front()));  // before anything else
}

TEST_CASE("a_person's_rollback_by_hand_after_the_window_is_left_alone") {
  story w;
  w.green_is_put_live();
  w.run(16min);
  w.breach();
  w.run(10s);
  const rule_now old = w.rule();
  CHECK_FALSE(w.begun());
  w.flip(blue);
  w.rules = {old};
  w.run(10s);
  w.rules.clear();
  w.breach("outage");  // and blue is no better
  w.run(1min);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("was rolled back by someone else") >= 1);
  CHECK(w.s.track.now->returned);
}

TEST_CASE("a_rule_that_is_true_since_before_the_epoch_is_no_doubt_about_its_release") {
  story w;
  w.green_is_put_live();
  w.run(16min);
  w.pending(1min).true_since = w.s.track.now->began.at - 1s;
  w.releases[blue] = "v3";
  w.look();
  w.flip(blue);
  CHECK(w.s.track.now->back->to.slot == green);
  CHECK(w.s.track.now->back->doubt.empty());
}

TEST_CASE("a_rule_that_is_true_since_the_new_release_came_is_no_doubt_about_the_old_one") {
  story w;
  w.look(3);
  w.run(3min);
  w.names.slot = w.reached.emplace(green);
  w.look(1);
  w.pending(1min).true_since = w.now.at - 500ms;
  w.look(2);
  CHECK(w.s.track.now->live.slot == green);
  CHECK(w.s.track.now->back->doubt.empty());

  story before;
  before.look(3);
  before.run(3min);
  before.pending(1min);
  before.run(5s);
  before.flip(green);
  CHECK(before.s.track.now->back->doubt.find("breached or pending") != std::string::npos);
}

// What is said.

TEST_CASE("each_cause_is_said_once_a_breach_and_again_for_a_new_one") {
  story w;
  w.green_is_put_live();
  w.holds(1h);
  w.breach();
  w.forget();
  w.run(2min);
  CHECK(w.times_said("held by ada") == 1);
  // The cause changes.
  w.well[blue] = false;
  CHECK(w.types(verb::kind::unhold)->first);
  w.run(2min);
  CHECK(w.times_said("would not help") == 1);
  // The breach ends, and another begins.
  w.rules.clear();
  w.run(2s);
  w.breach();
  w.run(2s);
  CHECK(w.times_said("would not help") == 2);
  CHECK_FALSE(w.begun());
}

TEST_CASE("a_breach_is_answered_in_its_own_step_also_where_it_is_not_known_which_slot_is_live") {
  story w;
  w.reached.reset();
  w.look(3);
  w.breach();
  w.forget();
  w.take(judged{});
  REQUIRE(w.said("rollback.blocked").size() == 1);
  CHECK(w.said().back().find("not known which slot is live") != std::string::npos);
  CHECK(w.said().back().find("`flipback rollback --reason TEXT`") != std::string::npos);
}

TEST_CASE("a_sick_stable_slot_is_paged") {
  story w;
  w.green_is_put_live();
  w.well[blue] = false;
  w.look();
  w.breach();
  w.take(judged{});
  const auto* e = std::get_if<say>(&*std::ranges::find_if(w.did, [](const action& a) {
    const auto* s = std::get_if<say>(&a);
    return s && s->what.kind == "rollback.blocked";
  }));
  REQUIRE(e);
  CHECK(e->what.severity == severity::critical);
}

TEST_CASE("what_is_lacking_is_said_once_and_again_when_it_comes_back") {
  story w;
  w.look(4);
  w.lacks = {{true, "no pid file"}, {false, "no log is read"}};
  w.take(ready_looked{{w.now.at, w.lacks}});
  w.take(ready_looked{{w.now.at, w.lacks}});
  CHECK(w.said("deployment.not_ready").size() == 2);
  w.take(ready_looked{{w.now.at, {}}});
  w.take(ready_looked{{w.now.at, w.lacks}});
  CHECK(w.said("deployment.not_ready").size() == 4);
}

TEST_CASE("whether_all_is_ready_is_looked_at_again_when_a_file_changes_and_every_ten_minutes") {
  story w;
  w.look(4);
  const auto asked = [&] { return std::ranges::count_if(w.did, [](const action& a) { return std::holds_alternative<ask_ready>(a); }); };
  const auto at_the_start = asked();
  w.look(60);
  CHECK(asked() == at_the_start);
  sighting seen = w.sight();
  seen.configuration_changed = true;
  w.take(looked{seen});
  CHECK(asked() == at_the_start + 1);
  w.look(599);
  CHECK(asked() == at_the_start + 1);
  w.look(2);
  CHECK(asked() == at_the_start + 2);
}

TEST_CASE("what_is_in_the_way_is_looked_at_every_minute_until_it_is_gone") {
  story w;
  w.lacks = {{true, "no pid file", {}}};
  w.look(4);
  w.lacks.clear();
  w.look(58);
  CHECK_FALSE(w.s.ready->lacks.empty());
  w.look(4);
  CHECK(w.s.ready->lacks.empty());
}

// A question to a person.

TEST_CASE("in_mode_ask_a_person_is_asked_and_nothing_is_done") {
  story w;
  w.by.mode = config::mode::ask;
  w.green_is_put_live();
  w.breach();
  w.run(1min);
  CHECK_FALSE(w.begun());
  CHECK(w.said("rollback.asked").size() == 1);
  CHECK(w.times_said("`flipback approve error-rate`") == 1);
  CHECK(w.s.questions.size() == 1);
}

TEST_CASE("a_question_lives_ten_minutes_whatever_the_window") {
  story w;
  w.by.mode = config::mode::ask;
  w.green_is_put_live();
  w.run(14min + 30s);
  w.breach();
  w.run(9min);
  CHECK(w.s.questions.size() == 1);
  CHECK_FALSE(w.s.window_was_open);
  w.run(90s);
  CHECK(w.s.questions.empty());
}
