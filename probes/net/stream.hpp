#pragma once

#include "probes/net/network.hpp"

#include <boost/asio/buffer.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace flipback::net {

/// Where a connection goes: a host (name or literal) and port, or a Unix socket's path.
struct endpoint {
  std::string host;
  std::uint16_t port = 0;
  std::string socket_path;  ///< not empty: a Unix socket, host and port are not used
};
std::string to_string(const endpoint& to);  ///< "db.internal:5432", "[::1]:80", "unix:/run/x.sock"

/// Time spent in each part of reaching a peer, for `http.*_seconds` and the like.
struct connect_times {
  duration resolve{};
  duration connect{};
  duration tls{};
};

/// A connected byte stream: TCP or Unix, plain or TLS. Every operation may be cancelled, and throws operation_aborted then; every other
/// failure is a value.
class stream {
 public:
  virtual ~stream() = default;
  virtual asio::awaitable<result<std::size_t>> read_some(asio::mutable_buffer into) = 0;  ///< 0 bytes: the peer closed
  virtual asio::awaitable<result<void>> write(asio::const_buffer all) = 0;                ///< all of it
  /// Days until the first certificate of the peer's chain ends (certificate.hpp: days_left), where it sent one. Negative: ended.
  [[nodiscard]] virtual std::optional<double> certificate_days() const = 0;
  /// Whether the peer asked for a certificate of ours.
  [[nodiscard]] virtual bool certificate_demanded() const = 0;
};

/// Connects to the first address of the host that accepts, and does the TLS handshake where `tls` is given.
/// A connection to oneself is `refused`.
asio::awaitable<result<std::unique_ptr<stream>>> connect(network& through, const endpoint& to, const tls_options* tls, run& r,
                                                         connect_times* times = nullptr);

}  // namespace flipback::net
