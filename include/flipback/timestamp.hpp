#pragma once

#include "flipback/units.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace flipback {

/// A time for people and programs, to the millisecond, in UTC: "2026-11-26T20:53:01.123Z".
std::string time_text(wall_time at);
/// A date and time with its offset from UTC (RFC 3339, 5.6): "2026-11-24T03:30:12.463004+00:00", "2026-11-24T03:30:12Z". Fractions below a
/// nanosecond are cut off. Nothing where it is none, has no offset, or lies outside of 1678 to 2261, which is what a wall_time holds:
/// Go's zero time, year 1, is no time.
std::optional<wall_time> parse_timestamp(std::string_view rfc3339);
/// An HTTP header's date (RFC 9110, 5.6.7, the form that is sent today): "Tue, 24 Nov 2026 03:30:12 GMT". Nothing where it is none,
/// or lies outside of the same years.
std::optional<wall_time> parse_http_date(const std::string& date);

}  // namespace flipback
