#include "agent/deployment/tracker.hpp"

#include "agent/deployment/witness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::deployment {

namespace {

using std::chrono::minutes;

constexpr unsigned changes_of_no_release = 3;  ///< in `changes_counted_for`
constexpr duration changes_counted_for = minutes(10);
constexpr std::size_t departures_kept = 32;

event told_as(const tracking& t, const terms& by, std::string kind, severity s, std::string says) {
  event e{std::move(kind), s, std::move(says), {}};
  if (!t.now) return e;
  e.with("live", by.slots[t.now->live.slot]).with("release", t.now->live.release);
  if (t.now->back && no_way_back(t, by).empty())
    e.with("stable", by.slots[t.now->back->to.slot]).with("stable_release", t.now->back->to.release);
  return e;
}

/// What speaks against going back to a release that is left now.
std::string doubt_at_leaving(const epoch& left, bool towards_its_way_back, bool troubled, moment at, const terms& by) {
  if (towards_its_way_back) return fmt::format("{} was rolled back by a person", text_of(left.live, by));
  if (troubled) return fmt::format("a rollback rule was breached or pending on {} when it was left", text_of(left.live, by));
  const bool window_was_open =
      left.is != epoch::kind::baseline && left.is != epoch::kind::rolled_back && !left.returned && at.at < left.began.at + by.window;
  if (window_was_open) return fmt::format("{} was left before its own rollback window was over", text_of(left.live, by));
  return {};
}

void begin_epoch(tracking& t, epoch next) {
  next.number = t.now ? t.now->number + 1 : t.recalled ? t.recalled->then.number + 1 : 1;
  t.now = std::move(next);
  t.is = agreement::agreed;
  t.arriving.reset();
  t.unfollowed_since.reset();
  t.unfollowed_said = false;
  t.reached.clear();
  t.other_in_a_row = 0;
  for (slot_knowledge& k : t.slots) {
    k.was_down = !k.well;
    k.well_in_a_row = 0;
  }
}

void say_cutover(const tracking& t, const terms& by, noticed& into) {
  const epoch& e = *t.now;
  const std::string before = e.before ? text_of(*e.before, by) : std::string("nothing that was seen");
  event said = told_as(t, by, "deployment.cutover", severity::info,
                       e.is == epoch::kind::in_place
                           ? fmt::format("{} now runs {}, before that {}", by.slots[e.live.slot], e.live.release, e.before->release)
                       : e.returned ? fmt::format("users now reach {} again: somebody rolled back from {}", text_of(e.live, by), before)
                                    : fmt::format("users now reach {}, before that {}", text_of(e.live, by), before));
  if (e.before) said.with("previous", by.slots[e.before->slot]).with("previous_release", e.before->release);
  said.with("epoch", static_cast<std::int64_t>(e.number));
  into.told.push_back(std::move(said));
  if (const std::string none = no_way_back(t, by); !none.empty())
    into.told.push_back(told_as(t, by, "deployment.no_way_back", severity::warning, none));
  else if (const std::string doubt = doubt_of_way_back(t, by); !doubt.empty())
    into.told.push_back(told_as(t, by, "deployment.doubtful", severity::warning,
                                fmt::format("{}: a rollback to {} waits for `flipback approve`", doubt, text_of(e.back->to, by))));
}

void note_departure(tracking& t, const placed& what, moment at, std::string doubt) {
  std::erase_if(t.departures, [&](const departure& d) { return at.at - d.at.at > remembered_for; });
  t.departures.push_back({what, at, std::move(doubt)});
  if (t.departures.size() > departures_kept) t.departures.erase(t.departures.begin());
}

/// The newest time that this release was left, within 24 h.
const departure* left_last(const tracking& t, const placed& what, moment at) {
  const auto found = std::ranges::find_if(t.departures.rbegin(), t.departures.rend(),
                                          [&](const departure& d) { return d.what == what && at.at - d.at.at <= remembered_for; });
  return found == t.departures.rend() ? nullptr : &*found;
}

std::optional<way_back> way_back_from(const tracking& t, const epoch& left, const placed& to, moment at, const terms& by) {
  if (by.stable) {
    if (*by.stable == to.slot) return std::nullopt;
    if (*by.stable != left.live.slot) {
      const placed named{*by.stable, t.slots[*by.stable].release};
      if (left.back && left.back->to == named) return left.back;
      const departure* last = left_last(t, named, at);
      return way_back{named, last != nullptr ? last->at : at, last != nullptr ? last->doubt : std::string()};
    }
  }
  if (left.live.slot != to.slot) {
    const departure* last = left_last(t, left.live, at);
    return way_back{left.live, at, last != nullptr ? last->doubt : std::string()};
  }
  // It changed in place: what there was to go back to is still there, if it was left not long ago.
  if (left.back && at.at - left.back->left.at < remembered_for) return left.back;
  return std::nullopt;
}

/// Whether this is what was to be gone back to. Where releases can't be told apart, it is as long as the slot was not seen down since.
bool is_way_back(const tracking& t, const way_back& back, const placed& what, const terms& by) {
  if (back.to.slot != what.slot) return false;
  if (tells_releases(back.to, by) && tells_releases(what, by)) return back.to.release == what.release;
  return !t.slots[what.slot].was_down;
}

void cut_over(tracking& t, const placed& to, moment at, epoch::kind how, bool troubled, const terms& by, noticed& into) {
  const epoch left = *t.now;
  const bool returned = how == epoch::kind::switched && left.back && is_way_back(t, *left.back, to, by);
  if (how == epoch::kind::switched) t.changes_in_place.clear();
  note_departure(t, left.live, at, doubt_at_leaving(left, returned, troubled, at, by));
  epoch next;
  next.is = how;
  next.began = at;
  next.live = to;
  next.before = left.live;
  next.back = way_back_from(t, left, to, at, by);
  next.returned = returned;
  begin_epoch(t, std::move(next));
  into.new_epoch = true;
  into.was_rolled_back = returned;
  say_cutover(t, by, into);
}

/// The first time that intent and effect are seen to agree in this life.
void begin(tracking& t, const placed& seen, const sighting& s, moment first, const terms& by, noticed& into) {
  if (!t.recalled) {
    epoch found;
    found.began = first;
    found.live = seen;
    begin_epoch(t, std::move(found));
    into.new_epoch = true;
    into.told.push_back(told_as(t, by, "deployment.baseline", severity::info,
                                fmt::format("{} is live: the baseline, no rollback window", text_of(seen, by))));
    return;
  }
  const recollection was = *std::exchange(t.recalled, std::nullopt);
  t.now = was.then;
  t.now->window_ended = t.now->window_ended || was.clock_is_behind;
  t.live_was_well = !was.other_boot;
  // A release that was not told, then or now, is no other one.
  const bool same =
      was.then.live.slot == seen.slot && (was.then.live.release == seen.release || seen.release.empty() || was.then.live.release.empty());
  if (same) {
    if (t.now->live.release.empty()) t.now->live.release = seen.release;
    const std::uint64_t number = t.now->number;
    epoch again = *t.now;
    begin_epoch(t, std::move(again));
    t.now->number = number;
    into.told.push_back(told_as(t, by, "deployment.baseline", severity::info, fmt::format("{} is still live", text_of(seen, by))));
    return;
  }
  const auto changed = s.names.changed;
  const bool by_switch = changed && *changed > was.seen.wall && *changed < s.at.wall;
  // By a clock that is behind it can't be told how long nobody watched.
  if (was.clock_is_behind || (!by_switch && s.at.at - was.seen.at >= by.window)) {
    note_departure(t, was.then.live, was.seen, {});
    epoch found;
    found.began = first;
    found.live = seen;
    begin_epoch(t, std::move(found));
    into.new_epoch = true;
    into.told.push_back(
        told_as(t, by, "deployment.baseline", severity::warning,
                fmt::format("{} is live, and nobody watched when it came: the baseline, no rollback window", text_of(seen, by))));
    return;
  }
  const moment at = by_switch ? moment{s.at.at - std::chrono::duration_cast<duration>(s.at.wall - *changed), *changed} : s.at;
  cut_over(t, seen, at, was.then.live.slot == seen.slot ? epoch::kind::in_place : epoch::kind::switched, false, by, into);
}

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
  into.told.push_back(told_as(
      t, by, "deployment.switch_not_in_effect", severity::warning,
      fmt::format("the switch names {}, but users are not seen to reach it: reload nginx (nginx -t && nginx -s reload); or a cache answers "
                  "for the front door's address, or nothing tells the slots apart",
                  by.slots[named])));
}

/// The intent stands, and a witness names another slot, or not: nginx's own doing.
void watch_elsewhere(tracking& t, instant at, bool other, bool both, const terms& by, noticed& into) {
  while (!t.reached.empty() && at - t.reached.front().at > minutes(1)) t.reached.pop_front();
  const auto note = [&](bool is_other) {
    if (t.reached.empty() ? is_other : t.reached.back().other != is_other) t.reached.push_back({at, is_other});
  };
  // A look that saw both may have seen the change from one to the other: it is one turn, not two.
  note(both ? t.reached.empty() || !t.reached.back().other : other);
  t.other_in_a_row = other ? t.other_in_a_row + 1 : 0;
  t.agreed_in_a_row = other ? 0 : t.agreed_in_a_row + 1;
  const agreement before = t.is;
  const auto there = std::ranges::count(t.reached, true, &tracking::elsewhere::other);
  if (there >= 2)
    t.is = agreement::mixed;
  else if (t.other_in_a_row >= witnesses_of_a_cutover)
    t.is = agreement::failover;
  else if (t.agreed_in_a_row >= witnesses_of_a_cutover || before == agreement::following || before == agreement::unknown)
    t.is = agreement::agreed;
  if (t.is == before || t.is == agreement::agreed) return;
  const std::string live = by.slots[t.now->live.slot];
  into.told.push_back(told_as(
      t, by, t.is == agreement::mixed ? "deployment.mixed" : "deployment.failover", severity::warning,
      t.is == agreement::mixed
          ? fmt::format("the switch names {}, and users reach both slots by turns (weights, split_clients): rules ask, nothing acts", live)
          : fmt::format("the switch names {}, but users reach the other slot (a backup server?): rules ask, nothing acts", live)));
}

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
  while (!t.changes_in_place.empty() && s.at.at - t.changes_in_place.front() > changes_counted_for) t.changes_in_place.pop_front();
  t.changes_in_place.push_back(s.at.at);
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

std::string_view name_of(epoch::kind k) {
  constexpr std::array<std::string_view, 5> names{"baseline", "switched", "in place", "rolled back", "opened"};
  return names.at(static_cast<std::size_t>(k));
}

std::string_view name_of(agreement a) {
  constexpr std::array<std::string_view, 5> names{"unknown", "agreed", "following", "failover", "mixed"};
  return names.at(static_cast<std::size_t>(a));
}

std::string text_of(const placed& p, const terms& by) {
  return p.release.empty() ? by.slots[p.slot] : fmt::format("{} with {}", by.slots[p.slot], p.release);
}

bool tells_releases(const placed& p, const terms& by) {
  return !p.release.empty() && std::ranges::find(by.slots, p.release) == by.slots.end();
}

void see_slots(tracking& t, const sighting& s, const terms& by) {
  t.slots.resize(by.slots.size());
  if (s.front_door.is == reply::kind::failing) t.door_failed = s.begun.at;
  t.door_identity = s.front_door.is == reply::kind::identified ? s.front_door.identity : std::string();
  for (std::size_t i = 0; i < t.slots.size() && i < s.slots.size(); ++i) {
    slot_knowledge& k = t.slots[i];
    const slot_reply& r = s.slots[i];
    k.well = r.well;
    k.says = r.says;
    k.answered = s.begun.at;
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

noticed see(tracking& t, const sighting& s, const terms& by, bool troubled) {
  noticed found;
  see_slots(t, s, by);
  t.names = s.names;
  const auto seen = witness_of(s, t.slots, by);
  const auto named = by.effect_is_intent && seen.slot ? seen.slot : s.names.named();
  if (!named) return found;  // a person is changing it, or it can't be read: nothing follows from what users reach
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
        begin(t, what, s, first, by, found);
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
  watch_elsewhere(t, s.at.at, other, seen.both, by, found);
  if (other)
    t.arriving.reset();
  else
    watch_in_place(t, {*seen.slot, seen.release}, s, troubled, by, found);
  return found;
}

bool wants_fresh_look(const tracking& t) {
  if (!t.now || t.arriving) return true;
  return t.is == agreement::following || t.other_in_a_row > 0;
}

noticed rolled_back(tracking& t, const placed& to, moment at, const terms& by) {
  noticed found;
  std::optional<placed> left;
  if (t.now)
    left = t.now->live;
  else if (t.recalled)
    left = t.recalled->then.live;
  // A recovery may do again what was kept already.
  if (left && left->slot == to.slot) left = t.now ? t.now->before : t.recalled->then.before;
  if (left && left->slot != to.slot) note_departure(t, *left, at, fmt::format("{} was rolled back", text_of(*left, by)));
  epoch next;
  next.is = epoch::kind::rolled_back;
  next.began = at;
  next.live = to;
  next.before = left;
  next.returned = true;
  begin_epoch(t, std::move(next));
  t.recalled.reset();
  found.new_epoch = true;
  found.was_rolled_back = true;
  return found;
}

noticed open_window(tracking& t, const placed& back, moment at, const terms& by) {
  noticed found;
  epoch next;
  next.is = epoch::kind::opened;
  next.began = at;
  next.live = t.now->live;
  next.before = back;
  next.back = way_back{back, at, {}};
  begin_epoch(t, std::move(next));
  found.new_epoch = true;
  static_cast<void>(by);
  return found;
}

std::string no_way_back(const tracking& t, const terms& by) {
  if (!t.now) return "it is not known which slot is live";
  const epoch& e = *t.now;
  const std::string open = "; `flipback window open --stable SLOT` says which slot to go back to";
  if (!e.back) {
    if (e.is == epoch::kind::rolled_back) return fmt::format("{} is the slot that was gone back to{}", by.slots[e.live.slot], open);
    if (by.stable && *by.stable == e.live.slot) return fmt::format("{} is live already{}", by.slots[*by.stable], open);
    if (e.is == epoch::kind::in_place)
      return fmt::format("{} was deployed in place: no slot has the release before{}", by.slots[e.live.slot], open);
    return "no cutover has been seen: there is nothing to go back to" + open;
  }
  const placed& to = e.back->to;
  if (to.slot == e.live.slot) return fmt::format("{} is live already{}", by.slots[to.slot], open);
  if (by.canary == to.slot) return fmt::format("{} is the canary, which is never gone back to{}", by.slots[to.slot], open);
  const std::string& has = t.slots.size() > to.slot ? t.slots[to.slot].release : std::string();
  if (!has.empty() && !to.release.empty() && has != to.release)
    return fmt::format("{} no longer has {}, but {}{}", by.slots[to.slot], to.release, has, open);
  return {};
}

std::string doubt_of_way_back(const tracking& t, const terms& by) {
  if (!t.now || !t.now->back || !no_way_back(t, by).empty()) return {};
  const way_back& back = *t.now->back;
  if (!back.doubt.empty()) return back.doubt;
  if (!tells_releases(back.to, by) && t.slots[back.to.slot].was_down)
    return fmt::format("{} was down since it was left, and nothing tells its releases apart", by.slots[back.to.slot]);
  return {};
}

}  // namespace flipback::deployment
