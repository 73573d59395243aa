#pragma once

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// The table [agent].
void read_agent(settings::section& root, agent& into);

}  // namespace flipback::config
