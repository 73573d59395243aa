#include "agent/deployment/witness.hpp"

#include <algorithm>

namespace flipback::deployment {

namespace {

/// The one slot whose identity this is; nothing where it is none's, or both slots'.
std::optional<slot_number> slot_named(const std::string& identity, std::span<const slot_knowledge> known) {
  std::optional<slot_number> found;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i].identity != identity || identity.empty()) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

}  // namespace

witness witness_of(const sighting& s, std::span<const slot_knowledge> known, const terms& by) {
  witness found;
  const bool told = s.front_door.is == reply::kind::identified;
  auto by_identity = told ? slot_named(s.front_door.identity, known) : std::nullopt;
  const bool contradicts = by_identity && s.names.named() && by_identity != s.names.named();
  if (s.log.readable) {
    std::optional<slot_number> users;
    std::size_t reached = 0;
    for (std::size_t i = 0; i < s.log.answered.size() && i < by.slots.size(); ++i) {
      if (s.log.answered[i] == 0) continue;
      users = i;
      ++reached;
    }
    found.both = reached > 1;
    if (s.log.our_question)
      found.slot = s.log.our_question;
    else if (reached == 1)
      found.slot = users;
    else if (reached > 1)
      return found;
    if (contradicts && found.slot != by_identity) by_identity.reset();
  }
  found.fresh = found.slot.has_value() || s.fresh;
  if (!found.slot) found.slot = by_identity;
  if (!found.slot && !s.log.readable && s.workers.visible && s.workers.all_since_change) {
    found.slot = s.names.named();
    found.fresh = true;
  }
  if (!found.slot) return found;
  found.release = known[*found.slot].release;  // its own word: a cache may give the front door's
  return found;
}

}  // namespace flipback::deployment
