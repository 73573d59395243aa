#pragma once

#include "flipback/settings.hpp"

#include "probes/net/network.hpp"

namespace flipback::net {

/// Reads the keys that every TLS-speaking probe has: `verify` (true), `ca_file`, `server_name`, `client_certificate` with `client_key`,
/// `min_version` ("1.2").
tls_options read_tls_options(settings::section& from);

}  // namespace flipback::net
