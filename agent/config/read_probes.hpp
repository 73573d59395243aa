#pragma once

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// The tables [probes.*]: what all probes have in common; the rest is left for each probe's own maker.
void read_probes(settings::section& root, std::vector<probe_entry>& into);

}  // namespace flipback::config
