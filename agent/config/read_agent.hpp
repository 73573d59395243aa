#pragma once

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// The table [agent].
void read_agent(settings::section& root, agent& into);
/// The table [record], where there is one.
void read_record(settings::section& root, std::optional<record>& into);

}  // namespace flipback::config
