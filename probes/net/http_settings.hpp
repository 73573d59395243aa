#pragma once

#include "flipback/settings.hpp"

#include "probes/net/http_client.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::net {

/// Reads whom a probe asks over HTTP: `url` (required), `host`, and the TLS keys. With a `host`, TLS asks for that name.
http_request read_http_request(settings::section& from, std::string_view example);
/// The same of an address that was read from this key. One that may not be shown is a secret: no message has any of it.
http_request read_http_request(settings::section& from, std::string_view key, const std::string& address, bool may_be_shown = true);

/// Reads `headers = { Accept = "text/plain", Authorization_file = "/run/secrets/x" }`: names and values, of which any may be a secret.
struct read_header {
  std::string name;
  secret value;
  bool as_written = false;  ///< the value stands in the configuration: neither a file nor the environment gave any of it
};
std::vector<read_header> read_headers(settings::section& from, std::string_view key = "headers");

/// The text under a key or its `_file` twin. `may_be_shown`: it is no secret where it stands in the configuration itself.
std::optional<secret> read_value(settings::section& from, const std::string& key, bool may_be_shown);

/// Whether a header of this name tells nobody a secret: what we accept, not who we are.
bool is_public_header(std::string_view name);
bool is_authorization(std::string_view name);
bool is_content_type(std::string_view name);

}  // namespace flipback::net
