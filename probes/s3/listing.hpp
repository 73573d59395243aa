#pragma once

#include "probes/net/network.hpp"

#include <cstdint>
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

}  // namespace flipback::s3
