#pragma once

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// The tables [nginx], [slots.*] and [deployment]. Slots first: the deployment names them.
void read_nginx(settings::section& root, nginx& into);
void read_slots(settings::section& root, std::vector<slot>& into);
void read_deployment(settings::section& root, configuration& into);

}  // namespace flipback::config
