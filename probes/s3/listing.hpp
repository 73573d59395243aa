#pragma once

#include "probes/net/network.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::s3 {

struct object {
  std::string key;
  wall_time modified;
  std::uint64_t size = 0;  ///< bytes
};

/// One page of ListObjectsV2's answer.
struct listing {
  std::vector<object> objects;
  std::string next;  ///< where the next page begins; empty: this is the last
};

/// Reads a page that was asked for with encoding-type=url. Objects without a key or a time that can be read are left out.
net::result<listing> parse_listing(std::string_view body);

/// "2026-11-26T20:53:01.123Z" (ISO 8601, as S3 writes it)
std::optional<wall_time> parse_iso_time(std::string_view text);
/// "Thu, 26 Nov 2026 20:53:01 GMT" (RFC 9110, 5.6.7)
std::optional<wall_time> parse_http_date(std::string_view text);

}  // namespace flipback::s3
