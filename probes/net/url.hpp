#pragma once

#include "flipback/secret.hpp"

#include "probes/net/stream.hpp"

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace flipback::net {

/// A kind of URL that a probe takes: how it begins, and what follows from that.
struct scheme {
  std::string_view name;   ///< "https"
  std::uint16_t port = 0;  ///< where the URL names none; 0: a Unix socket's path stands in the host's place
  bool tls = false;
  bool credentials = false;  ///< whether it may hold user:password@
};
inline constexpr std::array http_schemes{scheme{"http", 80}, scheme{"https", 443, true}, scheme{"http+unix"}};

/// "scheme://user:password@host:port/path?query" or "scheme+unix:///run/x.sock:/path", taken apart.
struct url {
  bool tls = false;
  std::string user;  ///< percent-decoded, as the password
  secret password;
  endpoint to;
  std::string target = "/";  ///< path and query, as sent
};
/// The parts of a URL of one of these schemes, or what is wrong with it ("has no host"); never with the password in it.
std::expected<url, std::string> parse_url(std::string_view text, std::span<const scheme> schemes = http_schemes);

/// Whether two URLs lead to one server by one protocol: scheme, host and port, or socket, are the same.
bool same_place(const url& one, const url& other);

/// "host:port", "[::1]:port" or "unix:/run/x.sock", taken apart, or what is wrong with it.
std::expected<endpoint, std::string> parse_endpoint(std::string_view text);

}  // namespace flipback::net
