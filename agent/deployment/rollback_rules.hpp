#pragma once

#include "agent/config/configuration.hpp"

#include <string_view>
#include <vector>

namespace flipback::deployment {

/// The rules of a configuration that roll back, built-in ones included.
std::vector<rules::rule_source> rollback_rules(const config::configuration& configured);

/// Whether any of them has a signal of this probe.
bool any_reads(const std::vector<rules::rule_source>& rules, std::string_view probe);

}  // namespace flipback::deployment
