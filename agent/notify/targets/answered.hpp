#pragma once

#include "flipback/units.hpp"

#include "agent/notify/target.hpp"
#include "probes/net/api.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace flipback::notify {

/// The longest that a target may tell us to wait; one that asks for a year is asked again long before.
inline constexpr duration longest_wait = std::chrono::hours(1);

/// What became of a letter, by the answer to the one HTTP request that brings it. 2xx is `delivered`. No answer, 5xx, a redirect, a login
/// that somebody must mend (401, 403, 407) and what only time mends (408, 425, 429) are `not_yet`. Any other 4xx is `refused`: the same
/// request would be answered so again. Nothing of `asked.secrets` is repeated.
attempt attempt_of(const net::result<net::http_answer>& answer, const net::api_access& asked);

/// A `Retry-After` header's wait (RFC 9110, 10.2.3), in seconds or as a date, at most `longest_wait`; nothing: it is none.
std::optional<duration> retry_after(std::string_view header, wall_time now);

/// The same of an answer; nothing where it has no such header.
std::optional<duration> retry_after(const net::http_answer& answer);

/// The whole number at this place of a JSON answer; nothing where there is none.
std::optional<std::int64_t> whole_at(const net::http_answer& answer, std::string_view pointer);

}  // namespace flipback::notify
