#pragma once

#include "agent/config/configuration.hpp"

#include <utility>

namespace flipback::config {

/// Two slots that are one in what tells them apart: a flip between them would change nothing, or what was made of one could not be told
/// from the other. `tables` are the slots', in the order of `slots`.
void check_slots_differ(std::vector<std::pair<std::string, settings::section>>& tables, const std::vector<slot>& slots);

}  // namespace flipback::config
