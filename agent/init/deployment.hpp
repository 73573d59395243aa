#pragma once

#include "agent/init/draft.hpp"

namespace flipback::init {

/// [nginx], [deployment] with its slots, and [probes.traffic], as far as nginx's configuration shows them; what it does not show is written
/// as a comment that says what is missing.
void add_deployment(const nginx_seen& nginx, draft& to);

/// The same where nginx's configuration can't be had.
void add_deployment_by_hand(const std::string& why, draft& to);

}  // namespace flipback::init
