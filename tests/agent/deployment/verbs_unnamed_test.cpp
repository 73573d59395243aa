#include "agent/deployment/standing.hpp"
#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;

namespace {

/// Green is live, blue is the way back, and somebody edits the live file.
struct edited : story {
  edited() { green_is_put_live(); }
  edited& edits() {
    names = {intent::kind::neither, 0, "default says what no slot's file says", {}, "it is nearest to green's"};
    look(3);
    return *this;
  }
  /// ... so that users reach the other slot.
  edited& moves(slot_number to) {
    reached = to;
    edits();
    look(1);
    return *this;
  }
  std::optional<std::pair<bool, std::string>> opens(std::optional<slot_number> stable) {
    verb v;
    v.is = verb::kind::window_open;
    v.slot = stable;
    return types(std::move(v));
  }
};

}  // namespace

TEST_CASE("a_breach_asks_while_the_switch_names_no_slot") {
  edited w;
  w.edits();
  w.breach();
  w.run(5s);
  CHECK_FALSE(w.begun());
  CHECK(w.times_said("the switch names no slot (default says what no slot's file says), so that somebody may be changing it: `flipback "
                     "approve error-rate` rolls back to blue with v1") == 1);
  CHECK(w.types(verb::kind::approve) == std::nullopt);
  w.look(2);
  CHECK(w.begun());
}

TEST_CASE("a_rollback_by_a_person_goes_to_the_stable_slot_while_the_switch_names_no_slot") {
  edited w;
  w.edits();
  w.forget();
  CHECK_FALSE(w.types(verb::kind::rollback).has_value());
  w.look(2);
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.to == placed{blue, "v1"});
  CHECK(w.newest<begin_rollback>()->what.from == placed{green, "v2"});
}

TEST_CASE("a_rollback_by_a_person_takes_users_back_who_were_moved_by_hand") {
  edited w;
  w.s = {};
  w.names = {intent::kind::names, blue, {}, {}, {}};
  w.reached = blue;
  w.look(3);  // a baseline, and no way back
  w.moves(green);
  REQUIRE(w.s.track.is == agreement::moved);
  w.forget();
  CHECK_FALSE(w.types(verb::kind::rollback).has_value());
  w.look(2);
  REQUIRE(w.begun());
  CHECK(w.newest<begin_rollback>()->what.to.slot == blue);
  CHECK(w.newest<begin_rollback>()->what.from.slot == green);
}

TEST_CASE("where_only_users_are_known_a_rollback_to_the_other_slot_needs_force") {
  edited w;
  w.s = {};
  w.edits();
  REQUIRE_FALSE(w.s.track.now);
  const auto refused = w.types(verb::kind::rollback);
  REQUIRE(refused.has_value());
  CHECK_FALSE(refused->first);
  CHECK(refused->second.ends_with("; `flipback rollback --force --reason TEXT` goes to blue all the same"));
  w.types(verb::kind::rollback, true);
  w.look(2);
  CHECK(w.newest<begin_rollback>()->what.to.slot == blue);
}

TEST_CASE("a_rollback_that_leads_nowhere_says_what_is_not_known") {
  edited w;
  w.s = {};
  w.reached.reset();
  w.edits();
  CHECK(w.types(verb::kind::rollback)->second ==
        "it is not known which slot to go back to: the switch names no slot (default says what no slot's file says), and no cutover was "
        "seen");
  w.names = {intent::kind::unreadable, 0, "permission denied", {}, {}};
  CHECK(w.types(verb::kind::rollback)->second ==
        "it is not known which slot to go back to: the switch can't be read (permission denied), and no cutover was seen");
}

TEST_CASE("a_window_opens_on_what_users_reach_though_the_switch_names_no_slot") {
  for (const bool restarted : {false, true}) {
    edited w;
    if (restarted) w.s = {};
    w.edits();
    const auto answer = w.opens(blue);
    REQUIRE(answer.has_value());
    CHECK(answer->first);
    CHECK(answer->second ==
          "the rollback window is open for 15m, with blue with v1 to go back to; but the switch names no slot (default says "
          "what no slot's file says): until it does, a breach asks instead of acting");
    REQUIRE(w.s.track.now);
    CHECK(w.s.track.now->is == epoch::kind::opened);
    CHECK(w.s.track.now->live == placed{green, "v2"});
  }
}

TEST_CASE("a_window_opens_where_users_were_moved_to") {
  edited w;
  w.moves(blue);
  CHECK(w.opens(blue)->second == "blue is live already");
  CHECK(w.opens(green)->first);
  CHECK(w.s.track.now->live == placed{blue, "v1"});
  CHECK(w.s.track.is == agreement::agreed);
}

TEST_CASE("a_window_moves_no_users") {
  edited w;
  w.reached = blue;  // the switch names green
  w.look(4);
  REQUIRE(w.s.track.is == agreement::failover);
  CHECK(w.opens(blue)->first);
  CHECK(w.s.track.is == agreement::failover);
  CHECK(w.s.track.now->live.slot == green);
}

TEST_CASE("no_window_opens_where_it_is_not_known_what_users_reach") {
  edited w;
  w.s = {};
  w.reached.reset();
  w.edits();
  CHECK(w.opens(blue)->second ==
        "it is not known which slot is live: the switch names no slot (default says what no slot's file says), and "
        "users were not seen to reach one");
}

TEST_CASE("what_stands_says_where_users_are_beside_what_is_live") {
  edited w;
  CHECK(w.stood().effect_says == "");
  CHECK(w.stood().users == "green");
  w.edits();
  CHECK(w.stood().live == "green");
  CHECK(w.stood().names_none);
  CHECK(w.stood().intent_says == "default says what no slot's file says; it is nearest to green's");
  CHECK(w.stood().effect_says == "");
  w.moves(blue);
  CHECK(w.stood().effect_says == "moved: users reach blue, while the switch names no slot");
  CHECK(w.stood().users == "blue");
  w.names = {intent::kind::names, green, {}, {}, {}};
  w.look(1);
  CHECK(w.stood().effect_says == "failover: users reach blue");
  w.log = w.log_both = true;
  w.look(1);
  w.reached = green;
  w.log_both = false;
  w.look(1);
  w.log_both = true;
  w.look(1);
  w.look(2);
  CHECK(w.stood().effect_says == "mixed: users reach both slots by turns");
  CHECK(w.opens(green)->second ==
        "green was live last, and where users are is not clear (mixed: users reach both slots by turns): it is no slot to go back to until "
        "they are seen to reach another one, and the switch names that");
  w.s.track.is = agreement::unknown;
  CHECK(w.stood().effect_says == "not proven: it was not seen yet which slot users reach");
}

TEST_CASE("where_no_switch_can_be_read_what_stands_says_that_what_users_reach_stands_for_it") {
  edited w;
  w.by.effect_is_intent = true;
  w.names = {intent::kind::unreadable, 0, "there is no `active` to ask", {}, {}};
  w.look(10);
  CHECK(w.said("deployment.switch_names_no_slot").empty());
  CHECK(w.stood().effect_is_intent);
  CHECK(w.stood().intent_says == "no switch can be read from here: what users reach stands for it");
  w.by.effect_is_intent = false;
  CHECK(w.stood().intent_says == "there is no `active` to ask");
}

TEST_CASE("what_ready_notes_stands_in_the_status") {
  edited w;
  w.s.ready = known_readiness{w.now.at, {}, {"default has 2 names"}};
  CHECK(w.stood().notes == std::vector<std::string>{"default has 2 names"});
}

TEST_CASE("what_the_switch_names_stands_as_of_now_and_not_as_the_newest_look_saw_it") {
  edited w;
  CHECK(w.stood().intent == "green");
  w.names = {intent::kind::unreadable, 0, "`active` gave its last answer 11 s ago", {}, {}};  // and the look hangs that asks it
  CHECK(w.stood().intent.empty());
  CHECK(w.stood().intent_says == "`active` gave its last answer 11 s ago");
}
