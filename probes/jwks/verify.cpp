#include "probes/jwks/verify.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace flipback::jwks {

namespace {

constexpr std::array algorithms{
    signature_algorithm{"RS256", "RSA", "SHA256"},
    signature_algorithm{"RS384", "RSA", "SHA384"},
    signature_algorithm{"RS512", "RSA", "SHA512"},
    signature_algorithm{"PS256", "RSA", "SHA256", true},
    signature_algorithm{"PS384", "RSA", "SHA384", true},
    signature_algorithm{"PS512", "RSA", "SHA512", true},
    signature_algorithm{"ES256", "EC", "SHA256", false, "prime256v1", 32},
    signature_algorithm{"ES384", "EC", "SHA384", false, "secp384r1", 48},
    signature_algorithm{"ES512", "EC", "SHA512", false, "secp521r1", 66},
    signature_algorithm{"ES256K", "EC", "SHA256", false, "secp256k1", 32},
    signature_algorithm{"EdDSA"},
};

std::string group_of(const EVP_PKEY& key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(&key, name.data(), name.size(), &size) != 1) return {};
  return {name.data(), size};
}

/// r and s, one after the other as a token has them (RFC 7518, 3.4), in the DER that OpenSSL takes; empty where they are none.
std::vector<unsigned char> in_der(std::span<const unsigned char> signature, std::size_t coordinate) {
  if (signature.size() != 2 * coordinate) return {};
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_SIG_new(), ECDSA_SIG_free);
  const int size = static_cast<int>(coordinate);
  BIGNUM* r = BN_bin2bn(signature.data(), size, nullptr);
  BIGNUM* s = BN_bin2bn(signature.data() + coordinate, size, nullptr);
  ECDSA_SIG_set0(pair.get(), r, s);  // takes both
  unsigned char* encoded = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &encoded);
  std::vector<unsigned char> made;
  if (length > 0) made.assign(encoded, encoded + length);
  OPENSSL_free(encoded);
  return made;
}

}  // namespace

const signature_algorithm* find_algorithm(std::string_view name) {
  const auto* const at = std::ranges::find(algorithms, name, &signature_algorithm::name);
  return at == algorithms.end() ? nullptr : at;
}

bool fits(const signature_algorithm& by, const EVP_PKEY& key) {
  if (by.key_type == nullptr) return EVP_PKEY_is_a(&key, "ED25519") == 1 || EVP_PKEY_is_a(&key, "ED448") == 1;
  return EVP_PKEY_is_a(&key, by.key_type) == 1 && (by.group == nullptr || group_of(key) == by.group);
}

bool verifies(const signature_algorithm& by, const EVP_PKEY& key, std::string_view text, std::span<const unsigned char> signature) {
  std::vector<unsigned char> der;
  if (by.coordinate > 0) {
    der = in_der(signature, by.coordinate);
    if (der.empty()) return false;
    signature = der;
  }
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* how = nullptr;
  // OpenSSL counts references in what it is lent to verify with.
  if (EVP_DigestVerifyInit_ex(context.get(), &how, by.digest, nullptr, nullptr, const_cast<EVP_PKEY*>(&key), nullptr) != 1) return false;
  if (by.pss) {
    if (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) != 1) return false;
    if (EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) != 1) return false;
  }
  const auto* const first = reinterpret_cast<const unsigned char*>(text.data());
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), first, text.size()) == 1;
}

}  // namespace flipback::jwks
