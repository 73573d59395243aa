#pragma once

#include "probes/net/http_client.hpp"

#include <string>

namespace flipback::jwks {

/// What a readiness endpoint as Quarkus has it answers (MicroProfile Health: {"status", "checks": [{"name", "status", "data"}]}): that it
/// is UP, or what is not, by name. `asked` begins the messages.
net::result<void> readiness(const net::http_answer& answer, const std::string& asked);

}  // namespace flipback::jwks
