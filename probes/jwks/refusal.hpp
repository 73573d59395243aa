#pragma once

#include "flipback/secret.hpp"

#include "probes/net/http_client.hpp"

#include <span>
#include <string>

namespace flipback::jwks {

/// Why an answer is none of ours: its status, and what an identity server says beside it ("error" and "error_description", RFC 6749, 5.2;
/// Keycloak says so everywhere), without what is hidden.
net::failure refusal(const net::http_answer& answer, const std::string& asked, std::span<const secret> hidden = {});

}  // namespace flipback::jwks
