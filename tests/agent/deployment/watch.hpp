#pragma once

#include "agent/deployment/tracker.hpp"
#include "tests/agent/deployment/story.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace flipback::deployment {

/// Looks alone, without a decider: who is reached is told by the test, look by look.
struct watch : story {
  tracking t;
  std::vector<event> told;
  int epochs = 0;
  bool forgiven = false;
  bool troubled = false;

  watch() { t.slots.resize(2); }

  noticed take(const sighting& seen) {
    noticed found = see(t, seen, by, troubled);
    told.insert(told.end(), found.told.begin(), found.told.end());
    epochs += found.new_epoch ? 1 : 0;
    forgiven = forgiven || found.was_rolled_back;
    return found;
  }
  watch& sees(int times = 1, duration apart = 1s) {
    for (int i = 0; i < times; ++i) {
      passes(apart);
      take(sight());
    }
    return *this;
  }
  /// One look each: the slot that users reach, '0' or '1'; 'b' both; '.' nothing can be told.
  watch& sees(const std::string& looks, duration apart = 1s) {
    for (const char c : looks) {
      passes(apart);
      log = true;
      log_both = c == 'b';
      reached = c == '.' ? std::nullopt : std::optional<slot_number>(c == '1' ? green : blue);
      take(sight());
    }
    return *this;
  }
  watch& flips(slot_number to) {
    names.slot = to;
    reached = to;
    return sees(3);
  }
  watch& green_after(duration on_blue) {
    sees(3);
    passes(on_blue);
    sees(1);
    return flips(green);
  }
  [[nodiscard]] int heard(const std::string& kind) const { return static_cast<int>(std::ranges::count(told, kind, &event::kind)); }
  /// The agent ends, and starts again a while later.
  watch& restarts(duration away, bool other_boot = false, bool clock_is_behind = false) {
    const recollection was{*t.now, now, clock_is_behind, other_boot};
    const auto left = t.departures;
    t = {};
    t.slots.resize(2);
    t.recalled = was;
    t.departures = left;
    told.clear();
    epochs = 0;
    passes(away);
    return *this;
  }
};

}  // namespace flipback::deployment
