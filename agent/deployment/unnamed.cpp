#include "agent/deployment/unnamed.hpp"

#include "agent/deployment/epochs.hpp"

#include <fmt/format.h>

#include <utility>

namespace flipback::deployment {

namespace {

bool say_the_same(const intent& one, const intent& other) {
  return one.is == other.is && one.says == other.says && one.nearest == other.nearest;
}

std::string what_follows(const tracking& t, const terms& by, bool of_a_file) {
  std::string text;
  if (const auto reached = reached_by_users(t)) text += fmt::format("; users reach {}", by.slots[reached->slot]);
  text += "; until it names one, a breach of a rollback rule asks instead of acting, since a person may be changing it";
  if (of_a_file) text += "; what is to stay belongs into each slot's file";
  if (t.now && t.now->back && no_way_back(t, by).empty())
    text += fmt::format("; `flipback rollback --reason TEXT` goes back to {}", text_of(t.now->back->to, by));
  return text;
}

/// Once it has stayed so for two looks: else a person may be in the middle of writing it.
void say_unnamed(tracking& t, const sighting& s, const terms& by, noticed& into) {
  const bool as_before = t.unnamed && say_the_same(t.unnamed->names, s.names);
  if (!as_before || t.unnamed->names.changed != s.names.changed) {
    t.unnamed = unnamed{s.names, s.at.at, as_before && t.unnamed->said};
    return;
  }
  const bool stays = s.at.at - t.unnamed->since >= by.watch_every - by.watch_every / 10;  // looks are never quite even
  if (s.names.is != intent::kind::neither || t.unnamed->said || !stays) return;
  t.unnamed->said = true;
  const std::string nearest = s.names.nearest.empty() ? "" : fmt::format("; {}", s.names.nearest);
  event told = told_as(t, by, "deployment.switch_names_no_slot", severity::warning,
                       fmt::format("the switch names no slot: {}{}{}", s.names.says, nearest, what_follows(t, by, !nearest.empty())));
  if (const auto reached = reached_by_users(t)) told.with("users", by.slots[reached->slot]);
  into.told.push_back(std::move(told));
}

/// What was live before a restart and still is needs no word of the switch: nothing has changed.
void take_up(tracking& t, const sighting& s, const witness& seen, const terms& by, noticed& into) {
  if (!t.recalled || !t.users || !seen.slot || *seen.slot != *t.users) return;
  const placed found{*seen.slot, seen.release};
  if (is_still(*t.recalled, found)) begin(t, found, s, s.at, false, by, into);
}

}  // namespace

void see_unnamed(tracking& t, const sighting& s, const witness& seen, const terms& by, noticed& into) {
  t.arriving.reset();
  t.unfollowed_since.reset();
  t.unfollowed_said = false;
  if (!t.now)
    take_up(t, s, seen, by, into);
  else if (t.is == agreement::following)
    t.is = t.users && *t.users != t.now->live.slot ? agreement::moved : agreement::agreed;
  if (t.now && (seen.slot || seen.both)) {
    const bool other = seen.both || *seen.slot != t.now->live.slot;
    const bool expected = by.canary && (seen.both || *seen.slot == *by.canary);
    // A cache may still say what was so before.
    if (!other || (!expected && seen.fresh)) watch_elsewhere(t, s.at.at, other, seen.both, false, by, into);
  }
  say_unnamed(t, s, by, into);
}

void see_named(tracking& t) {
  if (!t.unnamed) return;
  t.unnamed.reset();
  if (t.is == agreement::moved) t.is = agreement::failover;  // until a witness says otherwise, or a cutover comes of it
}

std::string why_unnamed(const intent& names, const terms& by) {
  if (names.is == intent::kind::neither) return fmt::format("the switch names no slot ({})", names.says);
  if (by.effect_is_intent) return "no switch can be read from here";
  return fmt::format("the switch can't be read ({})", names.says);
}

}  // namespace flipback::deployment
