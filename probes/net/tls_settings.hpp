#pragma once

#include "flipback/settings.hpp"

#include "probes/net/network.hpp"

namespace flipback::net {

/// Reads the keys that every TLS-speaking probe has: `verify` (true), `ca_file`, `server_name`.
tls_options read_tls_options(settings::section& from);

}  // namespace flipback::net
