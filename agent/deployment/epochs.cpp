// How one epoch follows another: cutovers, rollbacks, windows that people open; the way back, and what is doubtful about it.

#include "agent/deployment/epochs.hpp"

#include "agent/deployment/with_release.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::deployment {

event told_as(const tracking& t, const terms& by, std::string kind, severity s, std::string says) {
  event e{std::move(kind), s, std::move(says), {}};
  if (!t.now) return e;
  e.with("live", by.slots[t.now->live.slot]).with("release", t.now->live.release);
  if (t.now->back && no_way_back(t, by).empty())
    e.with("stable", by.slots[t.now->back->to.slot]).with("stable_release", t.now->back->to.release);
  return e;
}

namespace {

constexpr std::size_t departures_kept = 32;

/// What speaks against going back to a release that is left now.
std::string doubt_at_leaving(const epoch& left, bool towards_its_way_back, bool troubled, moment at, const terms& by) {
  // A person, or another agent on this nginx: nothing here tells which.
  if (towards_its_way_back) return fmt::format("{} was rolled back by someone else", text_of(left.live, by));
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
  t.users = t.now->live.slot;
  t.reached_in_a_row = 0;
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

}  // namespace

bool takes_way_back(const tracking& t, const placed& to, const terms& by) {
  return t.now && t.now->live.slot != to.slot && t.now->back && is_way_back(t, *t.now->back, to, by);
}

void cut_over(tracking& t, const placed& to, moment at, epoch::kind how, bool troubled, const terms& by, noticed& into) {
  const epoch left = *t.now;
  const bool returned = how == epoch::kind::switched && takes_way_back(t, to, by);
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

bool is_still(const recollection& was, const placed& seen) {
  const placed& live = was.then.live;
  return live.slot == seen.slot && (live.release == seen.release || seen.release.empty() || live.release.empty());
}

namespace {

/// As an earlier life left it: until a minute has shown otherwise, users may still reach both slots.
void see_as_mixed(tracking& t, instant at) {
  t.is = agreement::mixed;
  const instant before = at - std::chrono::seconds(2);
  t.reached = {{before, true}, {before, false}, {at, true}, {at, false}};
}

}  // namespace

/// The first time that intent and effect are seen to agree in this life.
void begin(tracking& t, const placed& seen, const sighting& s, moment first, bool troubled, const terms& by, noticed& into) {
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
  t.live_was_well = was.live_was_well && !was.other_boot;
  t.changes_in_place.assign(was.changes_in_place.begin(), was.changes_in_place.end());
  if (is_still(was, seen)) {
    if (t.now->live.release.empty()) t.now->live.release = seen.release;
    const std::uint64_t number = t.now->number;
    epoch again = *t.now;
    begin_epoch(t, std::move(again));
    t.now->number = number;
    if (was.mixed) see_as_mixed(t, s.at.at);
    into.told.push_back(told_as(t, by, "deployment.baseline", severity::info, fmt::format("{} is still live", text_of(seen, by))));
    return;
  }
  const auto changed = s.names.changed;
  const bool by_switch = changed && *changed > was.seen.wall && *changed < s.at.wall;
  // By a clock that is behind it can't be told how long nobody watched.
  if (was.clock_is_behind || (!by_switch && s.at.at - was.seen.at >= by.window)) {
    note_departure(t, was.then.live, was.seen, troubled ? doubt_at_leaving(was.then, false, true, was.seen, by) : std::string());
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
  cut_over(t, seen, at, was.then.live.slot == seen.slot ? epoch::kind::in_place : epoch::kind::switched, troubled, by, into);
}

std::string text_of(const placed& p, const terms& by) {
  return with_release(by.slots[p.slot], p.release);
}

bool tells_releases(const placed& p, const terms& by) {
  return !p.release.empty() && std::ranges::find(by.slots, p.release) == by.slots.end();
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

void open_window(tracking& t, way_back back) {
  epoch next;
  next.is = epoch::kind::opened;
  next.began = back.left;
  next.live = reached_by_users(t).value();
  next.before = back.to;
  next.back = std::move(back);
  // A window moves no users: what is known of where they are goes on, unless the window is opened where they have moved to.
  const bool elsewhere = t.is == agreement::failover || t.is == agreement::mixed;
  const agreement was = t.is;
  const auto users = t.users;
  begin_epoch(t, std::move(next));
  t.recalled.reset();
  if (!elsewhere) return;
  t.is = was;
  t.users = users;
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
  if (by.canary == to.slot)
    return fmt::format("{} is the canary, which is never gone back to; `flipback rollback --reason TEXT` goes there all the same",
                       by.slots[to.slot]);
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
