#include "probes/net/certificate.hpp"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <memory>

namespace flipback::net {

void expect_name(SSL* of, const std::string& name) {
  if (name.empty()) return;
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(of), name.c_str()) == 1) return;  // an address: SNI takes none
  SSL_set_tlsext_host_name(of, name.c_str());
  SSL_set1_host(of, name.c_str());
}

std::optional<double> days_left(SSL* of) {
  const std::unique_ptr<X509, decltype(&X509_free)> shown(SSL_get1_peer_certificate(of), &X509_free);
  if (!shown) return std::nullopt;
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(shown.get())) != 1) return std::nullopt;
  return days + seconds / 86400.0;
}

std::string verification_problem(SSL* of, const std::string& asked_for) {
  const long found = SSL_get_verify_result(of);
  if (found == X509_V_OK) return {};
  if (found == X509_V_ERR_HOSTNAME_MISMATCH || found == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return fmt::format("the certificate is not for {}", asked_for);
  }
  return fmt::format("the certificate can't be trusted: {}", X509_verify_cert_error_string(found));
}

}  // namespace flipback::net
