#pragma once

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// The table [nginx].
void read_nginx(settings::section& root, nginx& into);

}  // namespace flipback::config
