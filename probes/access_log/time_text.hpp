#pragma once

#include <optional>
#include <string_view>

namespace flipback::access_log {

/// Seconds since 1970 of a time as nginx logs it: $msec ("1795491858.123"), $time_iso8601 ("2026-11-26T20:53:43+00:00") or $time_local
/// ("26/Nov/2026:20:53:43 +0000"). Told apart by their shape; nothing where it is none of them.
std::optional<double> seconds_since_1970(std::string_view text);

inline constexpr std::size_t local_time_size = 26;
inline constexpr std::size_t iso_time_size = 25;

}  // namespace flipback::access_log
