#pragma once

#include "flipback/settings.hpp"

#include "probes/net/api.hpp"

#include <string_view>

namespace flipback::notify {

/// Reads an address to which whoever knows it may post, so that all of it but the host is a secret: from `key`, or the file that `key_file`
/// names. With it `host` and the TLS keys. It has its whole path and query: what is asked comes after them as "".
net::api_access read_hidden_address(settings::section& from, std::string_view key, std::string_view example);

/// Reads `token` or `token_file`, to be sent as a bearer's with each request; without one it is told which was expected.
void read_needed_token(settings::section& from, net::api_access& into, std::string_view expected);

/// Whether a header of this name is sent already, in any case.
bool has_header(const net::api_access& in, std::string_view name);

}  // namespace flipback::notify
