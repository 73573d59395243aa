#pragma once

#include "agent/deployment/tracker.hpp"

/// How one epoch follows another; the part of the tracker that looks lead to. Only tracker.cpp and epochs.cpp know it.
namespace flipback::deployment {

/// An event that says how the deployment stands beside what it says.
event told_as(const tracking& t, const terms& by, std::string kind, severity s, std::string says);
/// Whether going there now would be going back to what was live before.
bool takes_way_back(const tracking& t, const placed& to, const terms& by);
/// Users follow the switch to another slot, or the release in the live slot has changed: a new epoch begins at `at`.
void cut_over(tracking& t, const placed& to, moment at, epoch::kind how, bool troubled, const terms& by, noticed& into);
/// Whether this is what was live in an earlier life. A release that was not told, then or now, is no other one.
bool is_still(const recollection& was, const placed& seen);
/// The first time that intent and effect are seen to agree in this life, or that nothing has changed since the one before. `troubled`: at
/// the end of the life before, a rollback rule was breached or pending on what was live then.
void begin(tracking& t, const placed& seen, const sighting& s, moment first, bool troubled, const terms& by, noticed& into);

}  // namespace flipback::deployment
