#pragma once

#include "agent/config/configuration.hpp"

#include <array>
#include <string_view>

namespace flipback::config {

/// The keys that every probe's table may have, whatever its type.
constexpr std::array<std::string_view, 6> common_probe_keys{"type", "every", "timeout", "critical", "tags", "in_agent"};

/// The tables [probes.*]: what all probes have in common; the rest is left for each probe's own maker. Those that the agent leaves to
/// --check are noted.
void read_probes(settings::section& root, configuration& into);

}  // namespace flipback::config
