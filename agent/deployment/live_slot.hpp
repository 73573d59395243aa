#pragma once

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

}  // namespace flipback::deployment
