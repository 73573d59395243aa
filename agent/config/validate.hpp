#pragma once

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// Reads a configuration as a start would, down to every probe's table and every rule's condition, without starting anything.
configuration validate(const std::filesystem::path& file, const sources& from, settings::diagnostics& problems);

}  // namespace flipback::config
