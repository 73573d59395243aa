#include "agent/deployment/tracker.hpp"

#include "agent/deployment/epochs.hpp"
#include "agent/deployment/unnamed.hpp"
#include "agent/deployment/witness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::deployment {

namespace {

using std::chrono::minutes;

/// Both slots seen for as long as this are no reload any more, in which old and new workers accept side by side (nginx waits 100 ms).
constexpr duration a_reload_takes = std::chrono::seconds(1);
constexpr unsigned changes_of_no_release = 3;  ///< in `changes_counted_for`
constexpr duration changes_counted_for = minutes(10);

/// Counts witnesses of the same arrival in a row; true once there are enough.
bool arrived(tracking& t, const placed& what, moment at) {
  const bool goes_on = t.arriving && t.arriving->what.slot == what.slot &&
                       (t.arriving->what.release == what.release || t.arriving->what.release.empty() || what.release.empty());
  if (!goes_on) t.arriving = tracking::arrival{what, 0, at};
  if (!what.release.empty()) t.arriving->what.release = what.release;
  t.arriving->newest = at.at;
  return ++t.arriving->witnesses >= witnesses_of_a_cutover;
}

void say_unfollowed(tracking& t, const sighting& s, slot_number named, const terms& by, noticed& into) {
  if (!t.unfollowed_since || t.unfollowed != named) {
    t.unfollowed_since = s.at;
    t.unfollowed = named;
    t.unfollowed_said = false;
  }
  if (t.unfollowed_said || s.at.at - t.unfollowed_since->at < follow_within) return;
  t.unfollowed_said = true;
  into.told.push_back(
      told_as(t, by, "deployment.switch_not_in_effect", severity::warning,
              fmt::format("the switch names {}, but users are not seen to reach it: {}; or a cache answers for the front door's "
                          "address, or nothing tells the slots apart",
                          by.slots[named], by.follow)));
}

/// What users reach, whatever the switch names.
void follow_users(tracking& t, const witness& seen) {
  if (seen.both) t.reached_in_a_row = 0;
  if (!seen.slot || !seen.fresh) return;
  t.reached_in_a_row = *seen.slot == t.reached_last ? t.reached_in_a_row + 1 : 1;
  t.reached_last = *seen.slot;
  if (t.reached_in_a_row >= witnesses_of_a_cutover) t.users = *seen.slot;
}

void say_elsewhere(const tracking& t, bool named, const terms& by, noticed& into) {
  const std::string& live = by.slots[t.now->live.slot];
  const std::string names = named ? fmt::format("the switch names {}", live) : fmt::format("the switch names no slot, {} was live", live);
  const bool known = t.users && *t.users != t.now->live.slot;
  const std::string users = known ? by.slots[*t.users] : std::string("the other slot");
  const auto tell = [&](std::string kind, std::string says) {
    into.told.push_back(told_as(t, by, std::move(kind), severity::warning, names + says));
  };
  if (t.is == agreement::mixed)
    tell("deployment.mixed", ", and users reach both slots by turns (weights, split_clients): rules ask, nothing acts");
  else if (t.is == agreement::failover)
    tell("deployment.failover", fmt::format(", but users reach {} (a backup server? else {}): rules ask, nothing acts", users, by.follow));
  else
    tell("deployment.moved",
         fmt::format(", and users reach {}: a cutover once the switch names it; until then rules ask, nothing acts", users));
}

/// Whether users went to the other slot again when they had been back for longer than one change takes.
bool by_turns(const std::deque<tracking::elsewhere>& reached) {
  const auto there = std::ranges::find(reached, true, &tracking::elsewhere::other);
  const auto back = std::find_if(there, reached.end(), [](const tracking::elsewhere& e) { return !e.other; });
  const auto again = std::find_if(reached.rbegin(), reached.rend(), [](const tracking::elsewhere& e) { return e.other; });
  return back != reached.end() && again->at - back->at >= a_reload_takes;
}

}  // namespace

void watch_elsewhere(tracking& t, instant at, bool other, bool both, bool named, const terms& by, noticed& into) {
  while (!t.reached.empty() && at - t.reached.front().at > minutes(1)) t.reached.pop_front();
  // What a look saw of the log may be as old as the look before: of two turns the shorter time between them counts.
  const auto note = [&](bool is_other) {
    const bool turns = t.reached.empty() ? is_other : t.reached.back().other != is_other;
    if (turns) t.reached.push_back({is_other && t.watched != instant{} ? t.watched : at, is_other});
  };
  // A look that saw both may have seen the change from one to the other: it is one turn, not two.
  note(both ? t.reached.empty() || !t.reached.back().other : other);
  // What saw both names neither: a row may begin with it, and not go on.
  t.other_in_a_row = both ? 1 : other ? t.other_in_a_row + 1 : 0;
  t.agreed_in_a_row = other ? 0 : t.agreed_in_a_row + 1;
  const agreement before = t.is;
  if (by_turns(t.reached))
    t.is = agreement::mixed;
  else if (t.other_in_a_row >= witnesses_of_a_cutover)
    t.is = named ? agreement::failover : agreement::moved;
  else if (t.agreed_in_a_row >= witnesses_of_a_cutover || (!other && (before == agreement::following || before == agreement::unknown)))
    t.is = agreement::agreed;
  const bool elsewhere = t.is == agreement::mixed || t.is == agreement::failover || t.is == agreement::moved;
  if (t.is != before && elsewhere) say_elsewhere(t, named, by, into);
}

namespace {

void watch_in_place(tracking& t, const placed& seen, const sighting& s, bool troubled, const terms& by, noticed& into) {
  epoch& now = *t.now;
  if (seen.release.empty()) return;
  if (now.live.release.empty()) {
    now.live.release = seen.release;  // it was not told at its cutover
    return;
  }
  if (seen.release == now.live.release) {
    t.arriving.reset();
    return;
  }
  if (!arrived(t, seen, s.at)) return;
  const moment first = t.arriving->first;
  while (!t.changes_in_place.empty() && s.at.at - t.changes_in_place.front().at > changes_counted_for) t.changes_in_place.pop_front();
  t.changes_in_place.push_back(s.at);
  if (t.changes_in_place.size() < changes_of_no_release) {
    t.unsteady_said = false;
    cut_over(t, seen, first, epoch::kind::in_place, troubled, by, into);
    return;
  }
  now.live.release = seen.release;
  t.arriving.reset();
  if (std::exchange(t.unsteady_said, true)) return;
  into.told.push_back(told_as(t, by, "deployment.no_release", severity::warning,
                              fmt::format("what {} says of its release changed {} times in {}: it tells no releases apart",
                                          by.slots[now.live.slot], t.changes_in_place.size(), format_duration(changes_counted_for))));
}

}  // namespace

std::string_view name_of(agreement a) {
  constexpr std::array<std::string_view, 6> names{"unknown", "agreed", "following", "failover", "mixed", "moved"};
  return names.at(static_cast<std::size_t>(a));
}

namespace {

void see_whether_the_door_answers(tracking& t, const sighting& s, const terms& by) {
  constexpr int looks = 3;  // nginx may be restarted between two
  const auto is_silent = [&] { return t.door_silent && s.begun.at - *t.door_silent >= looks * by.watch_every; };
  const bool was_silent = is_silent() && t.door_turned && *t.door_turned > *t.door_silent;
  if (s.front_door.is != reply::kind::silent)
    t.door_silent.reset();
  else if (!t.door_silent)
    t.door_silent = s.begun.at;
  if (is_silent() != was_silent) t.door_turned = s.begun.at;
}

}  // namespace

void see_slots(tracking& t, const sighting& s, const terms& by) {
  t.slots.resize(by.slots.size());
  if (s.front_door.is == reply::kind::failing) t.door_failed = s.begun.at;
  see_whether_the_door_answers(t, s, by);
  t.door_identity = s.front_door.is == reply::kind::identified ? s.front_door.identity : std::string();
  t.door_says = s.front_door.says;
  for (std::size_t i = 0; i < t.slots.size() && i < s.slots.size(); ++i) {
    slot_knowledge& k = t.slots[i];
    const slot_reply& r = s.slots[i];
    k.says = r.says;
    k.answered = s.begun.at;
    k.not_asked = r.not_asked;
    if (r.not_asked) {
      k.well_in_a_row = 0;
      continue;
    }
    k.well = r.well;
    if (!r.well) {
      k.well_in_a_row = 0;
      k.was_down = true;
      k.sick = s.begun.at;
    } else if (k.well_in_a_row == 0 || s.begun.at - k.counted >= by.confirm_every - by.confirm_every / 10) {  // looks are never quite even
      ++k.well_in_a_row;
      k.counted = s.begun.at;
    }
    // Whoever answers after a slot was down may be another release: what it was is not what it is.
    if (r.self.is == reply::kind::silent || r.self.is == reply::kind::failing) {
      k.identity.clear();
      k.release.clear();
    }
    if (r.self.is != reply::kind::identified) continue;
    k.identity = r.self.identity;
    k.release = r.self.release;
  }
  if (!t.now) return;
  if (t.slots[t.now->live.slot].well) t.live_was_well = true;
  // It is kept with the way back, since the next life has not seen it.
  if (t.now->back && t.now->back->doubt.empty()) t.now->back->doubt = doubt_of_way_back(t, by);
}

namespace {

noticed take(tracking& t, const sighting& s, const terms& by, bool troubled) {
  noticed found;
  see_slots(t, s, by);
  const auto seen = witness_of(s, t.slots, by);
  follow_users(t, seen);
  const auto named = by.effect_is_intent && seen.slot ? seen.slot : s.names.named();
  if (!named) {
    if (!by.effect_is_intent) see_unnamed(t, s, seen, by, found);
    return found;
  }
  see_named(t);
  if (t.arriving && s.at.at - t.arriving->newest > follow_within) t.arriving.reset();
  if (!t.now || *named != t.now->live.slot) {
    if (t.now) t.is = agreement::following;
    // What tells nothing breaks no row of witnesses: a release that fails half of its answers has arrived all the same.
    if (seen.slot ? *seen.slot != *named : seen.both) t.arriving.reset();
    if (seen.slot != *named || !seen.fresh) {
      say_unfollowed(t, s, *named, by, found);
    } else if (arrived(t, {*seen.slot, seen.release}, s.at)) {
      const placed what = t.arriving->what;
      const moment first = t.arriving->first;
      if (t.now)
        cut_over(t, what, first, epoch::kind::switched, troubled, by, found);
      else
        begin(t, what, s, first, troubled, by, found);
    }
    return found;
  }
  t.unfollowed_since.reset();
  t.unfollowed_said = false;
  if (!seen.slot && !seen.both) {
    if (t.is == agreement::following) t.is = agreement::agreed;  // the switch went back before users followed
    if (t.arriving && t.arriving->what.slot != t.now->live.slot) t.arriving.reset();
    return found;
  }
  const bool expected = by.canary && (seen.both || *seen.slot == *by.canary);
  const bool other = seen.both || *seen.slot != *named;
  if (expected && other) return found;
  watch_elsewhere(t, s.at.at, other, seen.both, true, by, found);
  if (other)
    t.arriving.reset();
  else
    watch_in_place(t, {*seen.slot, seen.release}, s, troubled, by, found);
  return found;
}

}  // namespace

noticed see(tracking& t, const sighting& s, const terms& by, bool troubled) {
  noticed found = take(t, s, by, troubled);
  t.watched = s.at.at;
  return found;
}

bool is_changing(const tracking& t) {
  if (t.arriving || t.other_in_a_row > 0) return !(t.unnamed && t.is == agreement::moved);  // that may stand for days
  return !t.unnamed && (!t.now || t.is == agreement::following);
}

bool wants_fresh_look(const tracking& t) {
  return t.unnamed.has_value() || is_changing(t);
}

std::optional<placed> reached_by_users(const tracking& t) {
  if (t.now && t.is != agreement::moved) return t.now->live;
  if (!t.unnamed || !t.users) return std::nullopt;
  return placed{*t.users, t.slots[*t.users].release};
}

}  // namespace flipback::deployment
