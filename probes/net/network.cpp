#include "probes/net/network.hpp"

#include "flipback/errno_of.hpp"
#include "flipback/small_file.hpp"

#include "probes/net/resolver.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <fmt/format.h>

#include <map>

namespace flipback::net {

struct network::parts {
  std::vector<std::string> name_servers;
  std::unique_ptr<resolver> names;
  std::map<tls_options, asio::ssl::context> contexts;
};

namespace {

failure unusable(std::string_view what, const std::string& file, const std::string& why) {
  return {reason::no_prerequisite, fmt::format("can't use the client's {} in {}: {}", what, file, why)};
}

/// Has the context show our own certificate to a server that asks for one.
result<void> show_certificate(asio::ssl::context& context, const tls_options& options) {
  if (options.client_certificate.empty()) return {};
  boost::system::error_code error;
  // Without this OpenSSL would ask the terminal for the passphrase of a key that has one, and wait.
  context.set_password_callback([](std::size_t, asio::ssl::context::password_purpose) { return std::string(); }, error);
  if (const auto kind = unreadable_kind(options.client_certificate))
    return std::unexpected(unusable("certificate", options.client_certificate, *kind));
  context.use_certificate_chain_file(options.client_certificate, error);
  if (error) return std::unexpected(unusable("certificate", options.client_certificate, error.message()));
  if (const auto kind = unreadable_kind(options.client_key)) return std::unexpected(unusable("key", options.client_key, *kind));
  context.use_private_key_file(options.client_key, asio::ssl::context::pem, error);
  if (error) return std::unexpected(unusable("key", options.client_key, error.message()));
  return {};
}

}  // namespace

network::network(asio::any_io_executor executor, std::vector<std::string> name_servers)
    : executor_(std::move(executor)), parts_(std::make_unique<parts>()) {
  parts_->name_servers = std::move(name_servers);
}

network::~network() = default;

asio::awaitable<result<std::vector<asio::ip::address>>> network::resolve(std::string host) {
  boost::system::error_code not_literal;
  const asio::ip::address literal = asio::ip::make_address(host, not_literal);
  if (!not_literal) co_return std::vector<asio::ip::address>{literal};
  if (!parts_->names) parts_->names = std::make_unique<resolver>(executor_, parts_->name_servers);
  co_return co_await parts_->names->resolve(host);
}

result<asio::ssl::context*> network::tls(const tls_options& options) {
  const auto known = parts_->contexts.find(options);
  if (known != parts_->contexts.end()) return &known->second;

  asio::ssl::context context(asio::ssl::context::tls_client);
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  if (options.newest_only) SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_3_VERSION);
  if (const auto shown = show_certificate(context, options); !shown) return std::unexpected(shown.error());
  if (options.verify) {
    context.set_verify_mode(asio::ssl::verify_peer);
    boost::system::error_code error;
    if (const auto kind = unreadable_kind(options.ca_file))
      return std::unexpected(
          failure{reason::no_prerequisite, fmt::format("can't read the certificate authorities in {}: {}", options.ca_file, *kind)});
    // The hashed folder is read when an authority is needed; the one-file bundle costs 24 ms and 1.4 MB at once.
    if (options.ca_file.empty()) {
      context.add_verify_path("/etc/ssl/certs", error);
    } else {
      context.load_verify_file(options.ca_file, error);
      // An authority under another one may be trusted by itself: whoever names it in a file of their own means that.
      X509_STORE_set_flags(SSL_CTX_get_cert_store(context.native_handle()), X509_V_FLAG_PARTIAL_CHAIN);
    }
    if (error) {
      return std::unexpected(failure{reason::no_prerequisite,
                                     fmt::format("can't read the certificate authorities in {}: {}", options.ca_file, error.message())});
    }
  }
  return &parts_->contexts.emplace(options, std::move(context)).first->second;
}

failure failure_of(const boost::system::error_code& code, std::string_view doing) {
  const auto says = [&](reason why, std::string_view what) { return failure{why, fmt::format("{} {}", doing, what)}; };
  if (code.category() == asio::error::get_ssl_category()) return says(reason::bad_tls, code.message());
  if (code == asio::error::eof || code == asio::ssl::error::stream_truncated) return says(reason::closed, "ended early: the peer hung up");
  switch (errno_of(code)) {
    case ECONNREFUSED:
      return says(reason::refused, "was refused: nothing listens there");
    case ENOENT:
      return says(reason::refused, "was refused: there is no such socket");
    case EHOSTUNREACH:
    case EHOSTDOWN:
      return says(reason::unreachable, "failed: the host is unreachable");
    case ENETUNREACH:
      return says(reason::unreachable, "failed: there is no route to the network");
    case ENETDOWN:
      return says(reason::own_network, "failed: our own network is down");
    case EADDRNOTAVAIL:
      return says(reason::own_limits, "failed: no local address or port is left");
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return says(reason::own_limits, fmt::format("failed for want of our own resources: {}", code.message()));
    case ETIMEDOUT:
      return says(reason::timed_out, "got no answer");
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
      return says(reason::closed, "ended early: the peer hung up");
    case EACCES:
    case EPERM:
      return says(reason::no_prerequisite, fmt::format("is not allowed to us: {}", code.message()));
    default:
      return says(reason::bad_answer, fmt::format("failed: {}", code.message()));
  }
}

}  // namespace flipback::net
