#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace flipback {

/// All spans of time. Rules, probes and the agent count in nanoseconds; people write "5s" or "1m30s".
using duration = std::chrono::nanoseconds;

/// A point on the monotonic clock. `rules/` only ever receives one, it never asks for the time.
using instant = std::chrono::steady_clock::time_point;

/// A point in calendar time, for people and for what must be compared with other machines.
using wall_time = std::chrono::system_clock::time_point;

/// The unit of a measurement or of a number in a rule. `number` has none.
enum class unit : std::uint8_t { number, seconds, ratio, bytes, per_second };

constexpr double to_seconds(duration d) {
  return std::chrono::duration<double>(d).count();
}
duration from_seconds(double seconds);

/// Each parser takes the whole text and returns the value, or one sentence fragment that says what is wrong with it
/// ("has no unit", "is negative"). Durations: ns us ms s m h d w, largest first, each once ("1m30s").
std::expected<duration, std::string> parse_duration(std::string_view text);
/// Bytes: B, kB MB GB TB (powers of 1000), KiB MiB GiB TiB (powers of 1024); a whole number alone is bytes.
std::expected<std::uint64_t, std::string> parse_size(std::string_view text);
/// A share of one: "5%" or "0.05". Range 0 to 1.
std::expected<double, std::string> parse_ratio(std::string_view text);

/// The shortest text that says the value to people: "1m30s", "250ms", "1.5GiB", "5.02%".
std::string format_duration(duration d);
std::string format_size(double bytes);
std::string format_ratio(double ratio);
std::string format_value(double value, unit u);
std::string_view name_of(unit u);

}  // namespace flipback
