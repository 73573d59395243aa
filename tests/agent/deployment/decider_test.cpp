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
  CHECK(w.times_said("was rolled back by a person") >= 1);
  CHECK(w.s.track.now->returned);
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

// What stops it at the last moment.

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
  CHECK(*failed > w.now.at - 6s);  // the last of them counts
  CHECK_FALSE(mark_of(w.s, "error-rate", since - 1s));
  CHECK_FALSE(mark_of(w.s, "another", since));
  // It ends on blue first. The window remembers, and nobody acts on that.
  w.found_to_blame = {blame::kind::release, "green fails what blue does well"};
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
  CHECK(w.said().back().find("`flipback rollback`") != std::string::npos);
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

// The window.

TEST_CASE("after_the_window_rules_only_tell_and_say_what_to_type") {
  story w;
  w.green_is_put_live();
  w.run(15min);
  w.breach();
  w.run(1min);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("`flipback rollback`") == 1);
}

TEST_CASE("the_window_is_told_when_it_opens_and_when_it_closes") {
  story w;
  w.look(3);
  CHECK(w.count<tell_window>() == 0);
  w.flip(green);
  REQUIRE(w.newest<tell_window>());
  CHECK(w.newest<tell_window>()->open);
  w.forget();
  w.run(14min);
  CHECK(w.count<tell_window>() == 0);
  w.run(2min);
  REQUIRE(w.count<tell_window>() == 1);
  CHECK_FALSE(w.newest<tell_window>()->open);
}

TEST_CASE("a_pending_rule_keeps_the_window_open") {
  story w;
  w.green_is_put_live();
  w.run(14min + 40s);
  w.pending(1min);
  w.run(50s);
  CHECK(w.s.window_was_open);
  w.rule().breached = true;
  w.run(2s);
  CHECK(w.begun());

  story resolved;
  resolved.green_is_put_live();
  resolved.run(14min + 40s);
  resolved.pending(1min);
  resolved.run(30s);
  CHECK(resolved.s.window_was_open);
  resolved.rules.clear();
  resolved.run(1s);
  CHECK_FALSE(resolved.s.window_was_open);
}

TEST_CASE("a_guard_that_clears_after_the_window_only_tells") {
  story w;
  w.green_is_put_live();
  w.run(14min);
  w.breach().lasts = 2min;
  w.rule().true_since = w.now.at - 2min;
  w.holds(1h);
  w.run(1min);
  CHECK_FALSE(w.begun());
  w.types(verb::kind::unhold);
  w.run(2min);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("window is over") >= 1);
}

TEST_CASE("what_was_being_asked_at_the_window's_end_is_carried_through_for_a_minute") {
  for (const auto& [late, acts] : {std::pair{30s, true}, std::pair{70s, false}}) {
    CAPTURE(late.count());
    story w;
    w.green_is_put_live();
    const instant end = w.s.track.now->began.at + w.by.window;
    w.run(end - w.now.at - 5s);
    w.answers = false;
    w.breach();
    w.take(judged{});
    w.passes(5s + late);
    w.take(judged{});
    w.answers = true;
    w.take(ready_looked{{w.now.at, {}}});
    w.run(5s);
    CHECK(w.begun() == acts);
  }
}

// The latch.

TEST_CASE("the_latch_shuts_at_the_first_change_and_stays_for_the_epoch") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.changes();
  w.ends(outcome::undone, true, green);
  CHECK(w.s.track.now->live.slot == green);  // the epoch is what it was
  REQUIRE(w.s.latched);
  CHECK(w.s.latched->became.find("tried at ") == 0);
  CHECK(w.s.latched->became.find("undone") != std::string::npos);
  CHECK(w.s.failures.empty());  // to be undone is no failure
  w.run(5min);
  CHECK(w.count<begin_rollback>() == 1);
  CHECK(w.times_said("`flipback unlatch`") == 1);
  // A new cutover opens it.
  w.rules.clear();
  w.releases[green] = "v3";
  w.look(3);
  CHECK_FALSE(w.s.latched);
  w.forget();
  w.breach();
  w.run(5s);
  CHECK(w.begun());
}

TEST_CASE("unlatch_leads_to_a_rollback_at_once") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.changes();
  w.ends(outcome::undone, true, green);
  w.run(10s);
  w.forget();
  CHECK(w.types(verb::kind::unlatch, true)->first);
  w.run(1s);
  CHECK(w.begun());
}

TEST_CASE("an_attempt_that_changed_nothing_leaves_the_latch_open_and_is_made_again") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.take(prepared{w.id()});
  w.ends(outcome::nothing_changed, false);
  CHECK_FALSE(w.s.latched);
  CHECK(w.s.failures.empty());
  w.forget();
  w.run(4s);
  CHECK_FALSE(w.begun());  // not in the same breath
  w.run(2s);
  CHECK(w.begun());
}

TEST_CASE("each_outcome_and_what_it_leaves_behind") {
  struct row {
    outcome how;
    bool changed;
    bool latched;
    bool failed;  ///< is the release one that Flipback rolled back
    epoch::kind epoch;
    severity how_loud;
  };
  for (const row& r : {row{outcome::rolled_back, true, true, true, epoch::kind::rolled_back, severity::warning},
                       row{outcome::unproven, true, true, true, epoch::kind::rolled_back, severity::critical},
                       row{outcome::undone, true, true, false, epoch::kind::switched, severity::critical},
                       row{outcome::not_undone, true, true, false, epoch::kind::switched, severity::critical},
                       row{outcome::operator_took_over, true, true, false, epoch::kind::switched, severity::critical},
                       row{outcome::operator_took_over, false, false, false, epoch::kind::switched, severity::critical},
                       row{outcome::nothing_changed, false, false, false, epoch::kind::switched, severity::warning}}) {
    CAPTURE(name_of(r.how));
    story w;
    w.green_is_put_live();
    w.breach();
    w.take(judged{});
    w.take(prepared{w.id()});
    if (r.changed) w.take(changed{w.id()});
    w.ends(r.how, r.changed);
    CHECK(w.s.latched.has_value() == r.latched);
    CHECK(w.s.failures.empty() == !r.failed);
    CHECK(w.s.track.now->is == r.epoch);
    CHECK_FALSE(w.s.under_way);
    CHECK(w.count<close_journal>() == 1);
    CHECK(w.count<look_at_once>() == 1);
    const auto* e = [&]() -> const say* {
      for (const action& a : w.did)
        if (const auto* s = std::get_if<say>(&a); s && s->what.kind == "rollback.closed") return s;
      return nullptr;
    }();
    REQUIRE(e);
    CHECK(e->what.severity == r.how_loud);
  }
}

TEST_CASE("what_is_said_of_an_undo_is_what_users_reach") {
  for (const bool seen : {true, false}) {
    story w;
    w.green_is_put_live();
    w.breach();
    w.take(judged{});
    w.changes();
    w.ends(outcome::undone, true, seen ? std::optional(green) : std::nullopt);
    CHECK(w.times_said("green stays live") == (seen ? 1 : 0));
    CHECK(w.times_said("can't be told what users reach") == (seen ? 0 : 1));
  }
}

TEST_CASE("a_release_that_was_rolled_back_and_is_brought_back_is_asked_about") {
  for (const outcome how : {outcome::rolled_back, outcome::unproven}) {
    story w;
    w.green_is_put_live();
    w.breach();
    w.take(judged{});
    w.changes();
    w.names.slot = w.reached.emplace(blue);
    w.rules.clear();
    w.ends(how, true, blue);
    w.run(1min);
    w.flip(green);
    w.breach();
    w.run(5s);
    CHECK(w.count<begin_rollback>() == 1);
    CHECK(w.times_said("was rolled back before") == 1);
    // A mended release in the same slot is another one.
    w.rules.clear();
    w.releases[green] = "v3";
    w.look(3);
    w.forget();
    w.breach();
    w.run(5s);
    CHECK(w.begun());
  }
  story undone;
  undone.green_is_put_live();
  undone.breach();
  undone.take(judged{});
  undone.changes();
  undone.ends(outcome::undone, true, green);
  undone.rules.clear();
  undone.flip(blue);
  undone.run(1min);
  undone.flip(green);
  undone.breach();
  undone.run(5s);
  CHECK(undone.times_said("was rolled back before") == 0);
}

TEST_CASE("users_who_are_seen_elsewhere_after_an_unproven_rollback_are_no_cutover") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.changes();
  w.names.slot = blue;
  w.reached.reset();
  w.rules.clear();
  w.ends(outcome::unproven);
  CHECK(w.s.track.is == agreement::unknown);
  w.run(1min);
  w.reached = blue;
  w.look();
  CHECK(w.s.track.is == agreement::agreed);
  CHECK(w.s.track.now->is == epoch::kind::rolled_back);
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
  CHECK(w.times_said("`flipback approve`") == 1);
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

// Restarts.

namespace {

started remembered(const story& w) {
  started made;
  made.recalled = recollection{*w.s.track.now, w.now, false, false};
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
  CHECK(w.times_said("`flipback unlatch`") == 1);

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
      open.stable = blue;
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

TEST_CASE("a_rollback_that_was_cut_off_is_recovered_first") {
  story w;
  w.green_is_put_live();
  w.breach();
  w.take(judged{});
  w.changes();
  started with = remembered(w);
  with.cut_off = *w.s.under_way;
  with.cut_off->recovery = false;  // whatever the journal made of it
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
