#pragma once

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// What [deployment] and the slots say about how this host goes from one slot to the other: which keys are there tells which switch it is.
/// After `read_slots`, and after the mode and the intent have been read. Keys of two switches, none at all, and what a switch lacks are
/// reported.
void read_switch(settings::section& root, settings::section& from, const std::vector<slot>& slots, deployment& into);

}  // namespace flipback::config
