#pragma once

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// The tables [slots.*]. Which of a slot's keys the switch needs is `read_switch`'s to say.
void read_slots(settings::section& root, std::vector<slot>& into);

/// Reads the URL under `key`; one that is none is reported.
std::string read_url(settings::section& from, std::string_view key, std::string_view example);

}  // namespace flipback::config
