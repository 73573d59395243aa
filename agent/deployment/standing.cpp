#include "agent/deployment/standing.hpp"

#include "agent/deployment/guards.hpp"

#include <fmt/format.h>

namespace flipback::deployment {

standing stands(const state& s, const terms& by, const moment& now) {
  standing made;
  made.mode = by.mode;
  made.effect = s.track.is;
  made.no_way_back = no_way_back(s.track, by);
  made.doubt = doubt_of_way_back(s.track, by);
  if (const auto& e = s.track.now) {
    made.live = by.slots[e->live.slot];
    made.release = e->live.release;
    made.epoch = e->number;
    if (made.no_way_back.empty()) {
      made.stable = by.slots[e->back->to.slot];
      made.stable_release = e->back->to.release;
    }
  }
  if (const auto named = s.track.names.named())
    made.intent = by.slots[*named];
  else
    made.intent_says = s.track.names.says;
  made.window_open = s.window_was_open;
  if (s.latched) {
    made.latched = true;
    made.latch_says = fmt::format("{}, {}", text_of(s.latched->what, by), s.latched->became.empty() ? "under way" : s.latched->became);
  }
  if (is_held(s, now)) made.held = text_of(*s.held);
  if (s.under_way) made.rolling = fmt::format("to {}", text_of(s.under_way->to, by));
  for (const auto& [rule, q] : s.questions) made.questions.push_back(q);
  if (s.ready) made.lacks = s.ready->lacks;
  for (const auto& [what, why] : s.unstored) made.unstored.push_back(fmt::format("{}: {}", what, why));
  return made;
}

std::string text_of(const lack& l) {
  return l.type.empty() ? l.what : fmt::format("{}; {}", l.what, l.type);
}

}  // namespace flipback::deployment
