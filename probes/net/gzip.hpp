#pragma once

#include <string_view>

namespace flipback::net {

/// Whether a body is compressed with gzip (RFC 1952). We never ask for that, but some proxies do it all the same.
inline bool is_gzip(std::string_view body) {
  return body.starts_with("\x1f\x8b");
}
inline constexpr std::string_view says_gzip = "the body is compressed with gzip, which we did not ask for";

}  // namespace flipback::net
