#pragma once

#include "agent/config/configuration.hpp"

#include <array>
#include <string_view>

namespace flipback::config {

/// The table [notify].
void read_notify(settings::section& root, notify::manners& into);
/// The tables under [targets]: of each what is common to all. The rest is its kind's.
void read_targets(settings::section& root, std::vector<target_entry>& into);

inline constexpr std::array<std::string_view, 4> common_target_keys{"type", "level", "about", "least"};
inline constexpr std::array<std::string_view, 4> subjects{"incidents", "alerts", "notices", "cutovers"};

}  // namespace flipback::config
