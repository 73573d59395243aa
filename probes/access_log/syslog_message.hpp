#pragma once

#include <optional>
#include <string_view>

namespace flipback::access_log {

/// The line in a syslog message as nginx sends it (RFC 3164, ngx_syslog.c): "<190>Nov 26 20:53:43 host tag: line", with or without a host.
/// Nothing where it is none.
std::optional<std::string_view> line_in_syslog(std::string_view message);

}  // namespace flipback::access_log
