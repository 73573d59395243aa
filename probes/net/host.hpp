#pragma once

#include "flipback/settings.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace flipback::net {

/// Why a text can't be a host's name or address; nothing: it may be one. The text is not repeated: it may be a secret in the wrong place.
std::optional<std::string> not_a_host(std::string_view text);

/// Reports a value that can't be a host, such as a variable's that holds a whole URL: it is neither shown nor asked of a name server, since
/// there may be a password in it. Whether it was reported.
bool report_not_a_host(settings::section& from, std::string_view key, std::string_view value);

}  // namespace flipback::net
