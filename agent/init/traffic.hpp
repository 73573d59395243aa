#pragma once

#include "agent/init/draft.hpp"
#include "agent/rollback/nginx_configuration.hpp"

namespace flipback::init {

/// [probes.traffic] on the best of nginx's logs: `preferred` are those of the server by which users come in. What its format lacks is said.
void add_traffic(const rollback::nginx_configuration& nginx, const std::vector<std::string>& preferred, draft& to);

}  // namespace flipback::init
