#pragma once

#include "flipback/settings.hpp"

namespace flipback::settings {

/// One of the texts under a key, which `section::texts` gave in this place, as the person wrote it: without what the environment gave.
std::string shown_item(section& from, std::string_view key, std::size_t number);

}  // namespace flipback::settings
