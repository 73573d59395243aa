#pragma once

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// What only shows when the tables are held against each other: names that mean two things, checks that name no probe, two slots that are
/// one. After everything else has been read.
void cross_check(settings::section& root, const configuration& read, settings::diagnostics& into);

}  // namespace flipback::config
