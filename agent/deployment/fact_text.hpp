#pragma once

#include "agent/deployment/slots.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

/// How facts are written as JSON, so that whatever came from outside reads back the same, byte for byte. Pure.
namespace flipback::deployment {

/// A time that outlasts the process: within one boot the monotonic clock measures, across boots only the wall's is left.
struct stamp {
  std::string boot_id;  ///< what the kernel calls this boot
  instant monotonic;
  wall_time wall;

  friend bool operator==(const stamp&, const stamp&) = default;
};

/// A text that may hold any bytes: a JSON string where it is UTF-8, else {"base64": "…"}.
boost::json::value fact_value(std::string_view text);
/// Nanoseconds since the clock's beginning, as an integer.
boost::json::value fact_value(wall_time at);
boost::json::value fact_value(instant at);
boost::json::value fact_value(const stamp& at);
/// Bytes of a file: always base64.
boost::json::value fact_bytes(std::string_view bytes);

/// What `fact_bytes` wrote, and nothing else: a text that is no such base64 gives nothing.
std::optional<std::string> bytes_of_fact(std::string_view base64);

}  // namespace flipback::deployment
