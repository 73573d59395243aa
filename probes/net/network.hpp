#pragma once

#include "flipback/probe.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flipback::net {

/// How a TLS peer is verified and which name it is asked for.
struct tls_options {
  bool verify = true;
  std::string ca_file;             ///< empty: the machine's certificate authorities
  std::string server_name;         ///< for SNI and verification; empty: the host asked for
  std::string client_certificate;  ///< PEM, the chain after it; empty: we show none
  std::string client_key;          ///< PEM, without a passphrase
  bool newest_only = false;        ///< nothing older than TLS 1.3; else TLS 1.2 will do
  friend auto operator<=>(const tls_options&, const tls_options&) = default;
};

/// Why something on the network did not come about; what an observation says of it. Never holds a secret.
struct failure {
  reason why = reason::refused;
  std::string says;
};

template <typename T>
using result = std::expected<T, failure>;

/// A system error as one of our reasons: ECONNREFUSED is `refused`, EMFILE is `own_limits`, …
failure failure_of(const boost::system::error_code& error, std::string_view doing);

/// What all probes share to reach the world: the resolver and the TLS contexts, each made when first needed. One per generation.
class network {
 public:
  /// `name_servers` ("127.0.0.1:53") replace the machine's where given.
  explicit network(asio::any_io_executor executor, std::vector<std::string> name_servers = {});
  ~network();
  network(const network&) = delete;
  network& operator=(const network&) = delete;

  /// The addresses of a host, literals at once, names by c-ares (hosts file, then the name server), without blocking anyone.
  /// A name that does not exist is `no_such_name`; no answer is `no_resolver`. May throw operation_aborted when cancelled.
  asio::awaitable<result<std::vector<asio::ip::address>>> resolve(std::string host);

  /// The client context for these options, made once. An unreadable CA file, certificate or key is `no_prerequisite`.
  result<asio::ssl::context*> tls(const tls_options& options);

  [[nodiscard]] const asio::any_io_executor& executor() const { return executor_; }

 private:
  struct parts;
  asio::any_io_executor executor_;
  std::unique_ptr<parts> parts_;
};

}  // namespace flipback::net
