#pragma once

#include "flipback/settings.hpp"

#include <string>

namespace flipback::notify {

/// Reads `source`, which says there which agent it was; without it, this machine's name.
std::string read_source(settings::section& from);

}  // namespace flipback::notify
