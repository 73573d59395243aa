#pragma once

#include "agent/config/configuration.hpp"

#include <utility>

namespace flipback::config {

/// The live files of the switch `site`, each with the file of each slot: `live_site` with the slots' `site`, or
/// `live_sites = [{ live = "…", blue = "…", green = "…" }]`. `tables` are the slots', in the order of `slots`.
std::vector<live_file> read_live_files(settings::section& from, std::vector<std::pair<std::string, settings::section>>& tables,
                                       const std::vector<slot>& slots);

}  // namespace flipback::config
