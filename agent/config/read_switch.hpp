#pragma once

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// What the switch has to know of the slot, whose name is there already: each kind of switch has a key of its own.
void read_switched_by(slot& read, settings::section& from);

/// What [deployment] and the slots say about how this host goes from one slot to the other: which keys are there tells which switch it is.
/// After `read_slots`, and after the mode and the intent have been read. Keys of two switches, none at all, and what a switch lacks are
/// reported.
void read_switch(settings::section& root, settings::section& from, const std::vector<slot>& slots, deployment& into);

}  // namespace flipback::config
