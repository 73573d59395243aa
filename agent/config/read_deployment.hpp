#pragma once

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// The table [deployment]. After the slots, which it names.
void read_deployment(settings::section& root, configuration& into);

}  // namespace flipback::config
