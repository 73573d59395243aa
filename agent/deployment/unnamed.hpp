#pragma once

#include "agent/deployment/tracker.hpp"
#include "agent/deployment/witness.hpp"

#include <string>

/// The part of the tracker that looks lead to while the switch names no slot. No cutover follows from them, but what users reach is
/// followed all the same.
namespace flipback::deployment {

void see_unnamed(tracking& t, const sighting& s, const witness& seen, const terms& by, noticed& into);
/// The switch names a slot, as it did before, or again.
void see_named(tracking& t);

/// Why no slot is named, as a part of a sentence: "the switch names no slot (…)".
std::string why_unnamed(const intent& names, const terms& by);

/// The live slot stands, and a witness names another one, or not. `named`: the switch names the live slot; else none. tracker.cpp has it.
void watch_elsewhere(tracking& t, instant at, bool other, bool both, bool named, const terms& by, noticed& into);

}  // namespace flipback::deployment
