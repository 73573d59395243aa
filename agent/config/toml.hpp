#pragma once

#include "flipback/settings.hpp"

#include <string>
#include <string_view>

namespace flipback::config {

/// A TOML document as settings, with the place of everything. A syntax error becomes a problem, and the table comes back empty.
settings::node parse_toml(std::string_view text, const std::string& file_name, settings::diagnostics& into);

}  // namespace flipback::config
