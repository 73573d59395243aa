#pragma once

#include "agent/deployment/sighting.hpp"
#include "agent/deployment/state.hpp"

#include <cstdint>
#include <optional>

namespace flipback::deployment {

/// The slot that is live, as far as it is known: seen in this life, or remembered of the one before until something else is seen.
struct live_slot {
  slot_number slot = 0;
  moment since;             ///< the cutover; of a baseline when it was found
  std::uint64_t epoch = 0;  ///< another one: what was seen before is not of what is live now
  friend bool operator==(const live_slot&, const live_slot&) = default;
};

inline std::optional<live_slot> live_of(const state& s) {
  const epoch* now = s.track.now ? &*s.track.now : s.track.recalled ? &s.track.recalled->then : nullptr;
  if (now == nullptr) return std::nullopt;
  return live_slot{now->live.slot, now->began, now->number};
}

/// Whether the live slot serves users at the front door, as far as its answer tells. Where nothing answers nginx is what is ill, and what
/// nginx answers by itself (a limit, a page while somebody works there) is no slot's doing.
inline std::optional<bool> live_slot_serves(const sighting& seen, slot_number live) {
  const reply& door = seen.front_door;
  if (door.is == reply::kind::silent) return std::nullopt;
  if (door.is != reply::kind::failing) return true;
  const bool of_no_answer = door.status == 502 || door.status == 504;
  const bool passed_on = seen.log.our_question == live;
  const bool alike = seen.slots[live].self.is == reply::kind::failing;
  return of_no_answer || passed_on || alike ? std::optional(false) : std::nullopt;
}

}  // namespace flipback::deployment
