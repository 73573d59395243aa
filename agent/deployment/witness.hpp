#pragma once

#include "agent/deployment/sighting.hpp"
#include "agent/deployment/terms.hpp"
#include "agent/deployment/tracker.hpp"

#include <optional>
#include <span>
#include <string>

namespace flipback::deployment {

/// Which slot a sighting shows users to reach.
struct witness {
  std::optional<slot_number> slot;  ///< nothing: it can't be told from this look
  std::string release;              ///< what runs there, by its own answer; empty: not told
  bool both = false;                ///< users were passed to both slots
  bool fresh = false;               ///< no cache can have given it
};

/// The log tells first, since nginx writes it itself and no cache can; then the front door's identity, where it is one slot's alone; then
/// workers that all began after the switch was changed. Where a log is read, the identity of another slot than the switch names is no
/// witness: a cache may have answered. `known`: what each slot said of itself last.
witness witness_of(const sighting& s, std::span<const slot_knowledge> known, const terms& by);

}  // namespace flipback::deployment
