#pragma once

#include "flipback/units.hpp"

#include "agent/notify/target.hpp"
#include "probes/net/api.hpp"

#include <optional>
#include <string_view>

namespace flipback::notify {

/// The longest that a target may tell us to wait; one that asks for a year is asked again long before.
inline constexpr duration longest_wait = std::chrono::hours(1);

/// What became of a letter, by the answer to the one HTTP request that brings it. 2xx is `delivered`; what a server says of the letter
/// itself (400, 413, 422, …) is `refused`; no answer, 5xx, and what says nothing of the letter (401, 403, 404, 407, 408, 410, 425, 429,
/// 3xx: somebody can mend the address or the login, or time does) is `not_yet`. Nothing of `asked.secrets` is repeated.
attempt attempt_of(const net::result<net::http_answer>& answer, const net::api_access& asked);

/// A `Retry-After` header's wait (RFC 9110, 10.2.3), in seconds or as a date, at most `longest_wait`; nothing: it is none.
std::optional<duration> retry_after(std::string_view header, wall_time now);

/// The same of an answer; nothing where it has no such header.
std::optional<duration> retry_after(const net::http_answer& answer);

}  // namespace flipback::notify
