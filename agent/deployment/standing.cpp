#include "agent/deployment/standing.hpp"

#include "agent/deployment/guards.hpp"
#include "agent/store/remedy.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace flipback::deployment {

std::string effect_says(const tracking& t, const terms& by) {
  const std::string users = t.users ? by.slots[*t.users] : std::string();
  const bool elsewhere = t.users && t.now && *t.users != t.now->live.slot;
  if (!t.now) return users.empty() ? std::string() : fmt::format("users reach {}", users);
  switch (t.is) {
    case agreement::unknown:
      return "not proven: it was not seen yet which slot users reach";
    case agreement::following:
      return elsewhere ? fmt::format("users reach {} now", users) : "users have not followed the switch";
    case agreement::failover:
      return fmt::format("failover: users reach {}", elsewhere ? users : "another slot");
    case agreement::moved:
      return fmt::format("moved: users reach {}, while the switch names no slot", elsewhere ? users : "another slot");
    case agreement::mixed:
      return "mixed: users reach both slots by turns";
    case agreement::agreed:
      break;
  }
  return {};
}

namespace {

/// A front door that answers no more leads nobody anywhere once it has been so for so long: a restart of nginx takes less.
constexpr duration a_door_may_rest_for = std::chrono::seconds(5);
/// A look that hangs tells nothing of this moment.
constexpr duration a_look_tells_for = std::chrono::seconds(15);

/// Why it can't be told at this moment whether users still reach the live slot, though they were seen to; empty: it can.
std::string unseen_says(const state& s, const moment& now) {
  const tracking& t = s.track;
  if (!t.now || t.is != agreement::agreed) return {};
  if (s.under_way && s.under_way->is == attempt::phase::changing)
    return fmt::format("not proven while the {} is under way", name_of(s.under_way->why));
  const auto longer = [&](instant since, duration than) { return now.at - since >= than; };
  const auto ago = [&](instant since) { return format_duration(std::chrono::floor<std::chrono::seconds>(now.at - since)); };
  if (t.door_silent && longer(*t.door_silent, a_door_may_rest_for))
    return fmt::format("not proven at this moment: the front door has not answered for {}{}", ago(*t.door_silent),
                       t.door_says.empty() ? "" : ": " + t.door_says);
  if (t.watched != instant{} && longer(t.watched, a_look_tells_for))
    return fmt::format("not proven at this moment: the newest look at it is {} old", ago(t.watched));
  return {};
}

std::string since_when(const epoch& e) {
  const std::string at = fmt::format("{:%F %T} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(e.began.wall)));
  switch (e.is) {
    case epoch::kind::switched:
      return "since the cutover at " + at;
    case epoch::kind::in_place:
      return "since its release was deployed in place at " + at;
    case epoch::kind::rolled_back:
      return "since the rollback at " + at;
    case epoch::kind::baseline:
    case epoch::kind::opened:
      break;
  }
  return "since before " + at;
}

/// Why no slot is named, for `status`.
std::string intent_says(const intent& names, const terms& by) {
  if (by.effect_is_intent) return "no switch can be read from here: what users reach stands for it";
  return names.nearest.empty() ? names.says : fmt::format("{}; {}", names.says, names.nearest);
}

}  // namespace

std::vector<lack> lacks_of(const state& s, const terms& by) {
  std::vector<lack> all = s.ready ? s.ready->lacks : std::vector<lack>{};
  if (!s.unstored.empty()) {
    const auto& [what, why] = *s.unstored.begin();
    all.push_back({false, fmt::format("the state can't be stored, and would not outlast a restart ({}: {})", what, why),
                   std::string(make_the_state_writable)});
  }
  if (s.left_by_flip)
    all.push_back({false, fmt::format("a flip that left {} is not proven", by.slots[s.left_by_flip->slot]),
                   fmt::format("look with `curl`; `flipback flip {}` puts {} live again", by.slots[s.left_by_flip->slot],
                               by.slots[s.left_by_flip->slot])});
  const auto& e = s.track.now;
  if (!e || !e->back || !s.window_was_open || !no_way_back(s.track, by).empty()) return all;
  const slot_knowledge& stable = s.track.slots[e->back->to.slot];
  if (!stable.well && stable.answered != instant{})
    all.push_back({false, fmt::format("{}, the slot to go back to, is down", by.slots[e->back->to.slot]),
                   fmt::format("start it, or mend it, until the rollback window is over; `flipback status` says what it answers")});
  return all;
}

standing stands(const state& s, const terms& by, const moment& now, const intent& names) {
  standing made;
  made.mode = by.mode;
  made.effect = s.track.is;
  made.effect_says = effect_says(s.track, by);
  if (made.effect_says.empty()) made.effect_says = unseen_says(s, now);
  if (s.track.users) made.users = by.slots[*s.track.users];
  made.no_way_back = no_way_back(s.track, by);
  made.doubt = doubt_of_way_back(s.track, by);
  if (const auto& e = s.track.now) {
    made.live = by.slots[e->live.slot];
    made.release = e->live.release;
    made.epoch = e->number;
    made.since = since_when(*e);
    if (made.no_way_back.empty()) {
      made.stable = by.slots[e->back->to.slot];
      made.stable_release = e->back->to.release;
      const slot_knowledge& stable = s.track.slots[e->back->to.slot];
      if (stable.not_asked)
        made.stable_says = "can't be asked: " + stable.says;
      else if (!stable.well && stable.answered != instant{})
        made.stable_says = "down: " + stable.says;
    }
  }
  if (const auto named = names.named())
    made.intent = by.slots[*named];
  else
    made.intent_says = intent_says(names, by);
  made.effect_is_intent = by.effect_is_intent && made.intent.empty();
  made.names_none = names.is == intent::kind::neither;
  made.window_open = s.window_was_open;
  if (made.window_open && s.track.now) made.window_left = std::max<duration>(s.track.now->began.at + by.window - now.at, {});
  if (s.latched) {
    made.latched = true;
    made.latch_says = fmt::format("{}, {}", text_of(s.latched->what, by), s.latched->became.empty() ? "under way" : s.latched->became);
  }
  if (is_held(s, now)) made.held = text_of(*s.held);
  if (const auto& failed = s.in_doubt.failed) {
    made.failed = failed;
    made.failed_says = text_of(*failed, now);
    made.next_attempt_in = std::max(failed->newest.at + wait_after(*failed) - now.at, duration{});
  }
  if (s.under_way) (s.under_way->why.flips() ? made.flipping : made.rolling) = fmt::format("to {}", text_of(s.under_way->to, by));
  if (!s.under_way && s.order && s.order->flips()) made.flipping = fmt::format("to {}", by.slots[s.order->to]);
  for (const auto& [rule, q] : s.questions) made.questions.push_back(q);
  made.ready_looked = s.ready.has_value();
  for (const auto& [rule, last] : s.last) {
    const auto is = static_cast<stance>(last.is);
    if (is == stance::waits || is == stance::blocked || is == stance::tells) made.in_the_way.push_back({rule, name_of(is), last.says});
  }
  made.lacks = lacks_of(s, by);
  if (s.ready) made.notes = s.ready->notes;
  for (const auto& [what, why] : s.unstored) made.unstored.push_back(fmt::format("{}: {}", what, why));
  return made;
}

std::string text_of(const lack& l) {
  return l.type.empty() ? l.what : fmt::format("{}; {}", l.what, l.type);
}

}  // namespace flipback::deployment
