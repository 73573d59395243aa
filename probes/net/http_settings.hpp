#pragma once

#include "flipback/settings.hpp"

#include "probes/net/http_client.hpp"

#include <string_view>

namespace flipback::net {

/// Reads whom a probe asks over HTTP: `url` (required), `host`, and the TLS keys. With a `host`, TLS asks for that name.
http_request read_http_request(settings::section& from, std::string_view example);

}  // namespace flipback::net
