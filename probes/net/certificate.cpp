#include "probes/net/certificate.hpp"

#include <boost/asio/ssl/error.hpp>
#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>

namespace flipback::net {

namespace {

/// OpenSSL's reason (SSL_R_…) for an error of TLS itself, or 0: its other libraries, and other categories, have numbers of their own.
int tls_reason_of(const boost::system::error_code& error) {
  if (error.category() != asio::error::get_ssl_category()) return 0;
  const auto code = static_cast<unsigned long>(error.value());
  return ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
}

}  // namespace

void expect_name(SSL* of, std::string name) {
  if (name.ends_with('.')) name.pop_back();  // which says to name servers alone that the name is whole (RFC 6066, 3)
  if (name.empty()) return;
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(of), name.c_str()) == 1) return;  // an address: SNI takes none
  SSL_set_tlsext_host_name(of, name.c_str());
  SSL_set1_host(of, name.c_str());
}

std::optional<double> days_left(SSL* of) {
  std::optional<double> least;
  const STACK_OF(X509)* const verified = SSL_get_verify_result(of) == X509_V_OK ? SSL_get0_verified_chain(of) : nullptr;
  const STACK_OF(X509)* const chain = verified != nullptr ? verified : SSL_get_peer_cert_chain(of);
  for (int i = 0; i < sk_X509_num(chain); ++i) {  // of none at all the number is -1
    int days = 0;
    int seconds = 0;
    if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(sk_X509_value(chain, i))) != 1) continue;
    const double left = days + seconds / 86400.0;
    least = std::min(left, least.value_or(left));
  }
  return least;
}

std::string verification_problem(SSL* of, const std::string& asked_for) {
  const long found = SSL_get_verify_result(of);
  if (found == X509_V_OK) return {};
  if (found == X509_V_ERR_HOSTNAME_MISMATCH || found == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return fmt::format("the certificate is not for {}", asked_for);
  }
  return fmt::format("the certificate can't be trusted: {}", X509_verify_cert_error_string(found));
}

void watch_demands(SSL* of, bool* demanded) {
  const auto asked = [](SSL*, void* flag) {
    if (flag != nullptr) *static_cast<bool*>(flag) = true;
    return 1;
  };
  SSL_set_cert_cb(of, asked, demanded);  // a client's is called when the server asks for a certificate
}

std::optional<failure> refusal(const boost::system::error_code& error, bool demanded, bool shown) {
  switch (tls_reason_of(error)) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return failure{reason::unauthorised, "the server demands a client certificate, and none was shown (client_certificate, client_key)"};
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:  // all that TLS 1.2 says of it
      if (!demanded || shown) return std::nullopt;
      return failure{
          reason::unauthorised,
          "the handshake failed after the server asked for a client certificate, and none was shown (client_certificate, client_key)"};
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      if (!demanded || !shown) return std::nullopt;
      return failure{reason::unauthorised, fmt::format("the server does not accept our client certificate: {}", error.message())};
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return failure{reason::bad_tls, "the server speaks no version of TLS that is allowed here (min_version)"};
    default:
      return std::nullopt;
  }
}

}  // namespace flipback::net
