#pragma once

#include "flipback/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flipback::settings {

/// A program and its arguments, which no shell takes apart: an array of strings, the first of them not empty. `example` is such an array as
/// it is written. Empty where the key is absent or reported.
std::vector<std::string> read_command(settings::section& from, std::string_view key, std::string_view example);

}  // namespace flipback::settings
