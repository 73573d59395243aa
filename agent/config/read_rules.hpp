#pragma once

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// The tables under [[rules]]. Their conditions stay texts: rules/ knows the language.
void read_rules(settings::section& root, configuration& into);

}  // namespace flipback::config
