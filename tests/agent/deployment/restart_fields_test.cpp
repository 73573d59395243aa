// What becomes of each thing that the decider knows when the process ends. Whoever adds a field to one of these types is stopped here by
// the compiler, and says what a restart makes of it: nothing that makes a decision more careful may be lost without a word.

#include "agent/deployment/state.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>

using namespace flipback::deployment;

namespace {

enum class fate {
  stored,      ///< a fact, or in the journal
  doubted,     ///< after a start it is taken for what makes decisions more careful, until it is known
  seen_anew,   ///< the next looks show it, and nothing acts before they have
  asked_anew,  ///< nothing acts before it is asked again
  over         ///< it is of what was being done or said in that life, and leaves nothing less careful
};

using fates = std::map<std::string_view, fate>;

/// Each value is named once, in the order of the type's fields.
template <typename... Fields>
fates all(const fates& named, const Fields&... /*fields*/) {
  CHECK(named.size() == sizeof...(Fields));
  return named;
}

fates of_state() {
  const state s;
  const auto& [track, held, latched, failures, in_doubt, under_way, closing, order, left_by_flip, questions, stable, blames, both_failed,
               ready, unreadable, unstored, started, asking_stable, asking_blame, asking_ready, when_stored, keeps, verbs, said, breaches,
               last, lacks_said, seen_kept, not_again_before, window_was_open] = s;
  return all(
      {{"track", fate::stored},  // field by field below
       {"held", fate::stored},
       {"latched", fate::stored},
       {"failures", fate::stored},
       {"in_doubt", fate::stored},
       {"under_way", fate::stored},
       {"closing", fate::stored},
       {"order", fate::over},
       {"left_by_flip", fate::over},  // the switch names what was flipped to, and the record another slot: back is what the record has
       {"questions", fate::asked_anew},
       {"stable", fate::asked_anew},
       {"blames", fate::stored},       // that both slots did well: `in_doubt.mark`; the rest is asked anew
       {"both_failed", fate::stored},  // `in_doubt.mark`
       {"ready", fate::asked_anew},
       {"unreadable", fate::stored},
       {"unstored", fate::over},  // said at the time: it would not outlast a restart
       {"started", fate::over},
       {"asking_stable", fate::over},
       {"asking_blame", fate::over},
       {"asking_ready", fate::over},
       {"when_stored", fate::over},
       {"keeps", fate::over},
       {"verbs", fate::over},
       {"said", fate::over},
       {"breaches", fate::over},  // rules start empty
       {"last", fate::over},      // the same
       {"lacks_said", fate::over},
       {"seen_kept", fate::over},
       {"not_again_before", fate::over},
       {"window_was_open", fate::over}},
      track, held, latched, failures, in_doubt, under_way, closing, order, left_by_flip, questions, stable, blames, both_failed, ready,
      unreadable, unstored, started, asking_stable, asking_blame, asking_ready, when_stored, keeps, verbs, said, breaches, last, lacks_said,
      seen_kept, not_again_before, window_was_open);
}

fates of_tracking() {
  const tracking t;
  const auto& [now, slots, is, users, unnamed, departures, recalled, door_silent, door_turned, door_failed, door_identity, door_says,
               live_was_well, changes_in_place, arriving, unfollowed_since, unfollowed, unfollowed_said, reached, watched, other_in_a_row,
               agreed_in_a_row, reached_last, reached_in_a_row, unsteady_said] = t;
  return all({{"now", fate::stored},
              {"slots", fate::stored},  // field by field below
              {"is", fate::stored},     // that users reach both slots; any other is seen before an epoch is known
              {"users", fate::seen_anew},
              {"unnamed", fate::seen_anew},
              {"departures", fate::stored},
              {"recalled", fate::stored},
              {"door_silent", fate::seen_anew},
              {"door_turned", fate::seen_anew},
              {"door_failed", fate::doubted},
              {"door_identity", fate::seen_anew},
              {"door_says", fate::seen_anew},
              {"live_was_well", fate::stored},
              {"changes_in_place", fate::stored},
              {"arriving", fate::seen_anew},
              {"unfollowed_since", fate::seen_anew},
              {"unfollowed", fate::seen_anew},
              {"unfollowed_said", fate::over},
              {"reached", fate::doubted},  // by turns, for a minute, where it was so
              {"watched", fate::seen_anew},
              {"other_in_a_row", fate::seen_anew},
              {"agreed_in_a_row", fate::seen_anew},
              {"reached_last", fate::seen_anew},
              {"reached_in_a_row", fate::seen_anew},
              {"unsteady_said", fate::over}},
             now, slots, is, users, unnamed, departures, recalled, door_silent, door_turned, door_failed, door_identity, door_says,
             live_was_well, changes_in_place, arriving, unfollowed_since, unfollowed, unfollowed_said, reached, watched, other_in_a_row,
             agreed_in_a_row, reached_last, reached_in_a_row, unsteady_said);
}

fates of_slot() {
  const slot_knowledge k;
  const auto& [identity, release, well, well_in_a_row, counted, answered, was_down, sick, not_asked, says] = k;
  return all({{"identity", fate::seen_anew},
              {"release", fate::seen_anew},
              {"well", fate::seen_anew},
              {"well_in_a_row", fate::seen_anew},
              {"counted", fate::seen_anew},
              {"answered", fate::seen_anew},
              {"was_down", fate::stored},  // the doubt that it makes is kept with the way back
              {"sick", fate::stored},      // `in_doubt.mark`
              {"not_asked", fate::seen_anew},
              {"says", fate::seen_anew}},
             identity, release, well, well_in_a_row, counted, answered, was_down, sick, not_asked, says);
}

fates of_epoch() {
  const epoch e;
  const auto& [number, is, began, live, before, back, returned, window_ended] = e;
  return all({{"number", fate::stored},
              {"is", fate::stored},
              {"began", fate::stored},
              {"live", fate::stored},
              {"before", fate::stored},
              {"back", fate::stored},
              {"returned", fate::stored},
              {"window_ended", fate::stored}},
             number, is, began, live, before, back, returned, window_ended);
}

fates of_doubts() {
  const doubts d;
  const auto& [not_this_release, withheld, troubled, mark, failed] = d;
  return all({{"not_this_release", fate::stored},
              {"withheld", fate::stored},
              {"troubled", fate::stored},
              {"mark", fate::stored},
              {"failed", fate::stored}},
             not_this_release, withheld, troubled, mark, failed);
}

}  // namespace

TEST_CASE("of_each_field_it_is_decided_what_a_restart_makes_of_it") {
  CHECK(of_state().at("in_doubt") == fate::stored);
  CHECK(of_tracking().at("door_failed") == fate::doubted);
  CHECK(of_slot().at("sick") == fate::stored);
  CHECK(of_epoch().at("back") == fate::stored);
  CHECK(of_doubts().at("mark") == fate::stored);
}
