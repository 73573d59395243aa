#pragma once

#include "flipback/settings.hpp"

#include <string>
#include <string_view>

namespace flipback::config {

/// TOML as settings, with the place of everything in `file_name`. What is no TOML becomes one problem, and the table is empty.
settings::node parse_toml(std::string_view text, const std::string& file_name, settings::diagnostics& into);

}  // namespace flipback::config
