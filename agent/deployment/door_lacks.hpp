#pragma once

#include "agent/config/configuration.hpp"
#include "agent/deployment/sighting.hpp"
#include "agent/deployment/state.hpp"

#include <optional>
#include <vector>

namespace flipback::deployment {

/// What the front door answered, and each slot, asked directly for the same path.
struct answers_at_once {
  reply door;
  std::vector<reply> slots;  ///< in the configuration's order
};

/// Why the front door's answer shows no slot, or not by the identity that is configured; nothing: it does. Never in a rollback's way.
/// `has_log`: an access log names the upstreams. There must be a deployment.
std::optional<lack> door_lack(const answers_at_once& got, const config::configuration& configured, bool has_log);

}  // namespace flipback::deployment
