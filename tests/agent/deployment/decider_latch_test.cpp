// The latch, and what an attempt leaves behind.

#include "agent/deployment/decider.hpp"
#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;
using rollback::outcome;

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
  CHECK(w.times_said("`flipback unlatch --yes`") == 1);
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

TEST_CASE("room_is_made_again_after_an_attempt_that_was_undone_or_changed_nothing") {
  for (const outcome how : {outcome::undone, outcome::nothing_changed}) {
    story w;
    w.green_is_put_live();
    w.breach();
    w.take(judged{});
    w.changes();
    w.forget();
    w.ends(how, how == outcome::undone, green);
    REQUIRE(w.newest<stage_for>());
    CHECK(w.newest<stage_for>()->slot == blue);
  }
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
    epoch::kind in;
    severity how_loud;
  };
  for (const row& r : {row{outcome::rolled_back, true, true, true, epoch::kind::rolled_back, severity::warning},
                       row{outcome::unproven, true, true, true, epoch::kind::rolled_back, severity::critical},
                       row{outcome::undone, true, true, false, epoch::kind::switched, severity::critical},
                       row{outcome::not_undone, true, true, false, epoch::kind::switched, severity::critical},
                       row{outcome::operator_took_over, true, true, false, epoch::kind::switched, severity::critical},
                       row{outcome::operator_took_over, false, false, false, epoch::kind::switched, severity::critical},
                       row{outcome::cant_tell, true, true, false, epoch::kind::switched, severity::critical},
                       row{outcome::nothing_changed, false, false, false, epoch::kind::switched, severity::critical}}) {
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
    CHECK(w.s.track.now->is == r.in);
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

TEST_CASE("unlatch_forgets_that_the_live_release_was_rolled_back_in_whichever_slot_it_was") {
  story w;
  w.green_is_put_live().is_rolled_back();
  w.run(1min);
  w.releases[blue] = "v2";
  w.look(3);
  REQUIRE(w.s.track.now->live == placed{blue, "v2"});
  const auto was_rolled_back = [&] { return was_rolled_back_before(w.s, w.by, present{w.now, w.names, {}}, w.s.track.now->live); };
  REQUIRE(was_rolled_back());
  CHECK(w.types(verb::kind::unlatch, true)->first);
  CHECK_FALSE(was_rolled_back());
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
