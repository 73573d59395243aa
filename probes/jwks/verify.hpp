#pragma once

#include <openssl/evp.h>

#include <span>
#include <string>
#include <string_view>

namespace flipback::jwks {

/// A way to sign with a private key, as a token's header names it (`alg`). Those with a shared secret (HS256 …) and "none" are none of
/// them.
struct signature_algorithm {
  std::string_view name;
  const char* key_type = nullptr;  ///< as OpenSSL has it; null: Ed25519 or Ed448
  const char* digest = nullptr;    ///< null: the algorithm has its own
  bool pss = false;                ///< of RSA: PSS with a salt as long as the digest, and MGF1 with the same digest
  const char* group = nullptr;     ///< of EC: the one curve that it goes with
  std::size_t coordinate = 0;      ///< of EC: the size of r and of s in a signature, in bytes
};

/// The algorithm of a name, or null. RFC 7518, 3.1; RFC 8037, 3.1; RFC 8812, 3.2.
const signature_algorithm* find_algorithm(std::string_view name);

/// Whether a key is of the type, and on the curve, that an algorithm goes with.
bool fits(const signature_algorithm& by, const EVP_PKEY& key);

/// Whether the owner of the key's private part has signed this text. The key must fit.
bool verifies(const signature_algorithm& by, const EVP_PKEY& key, std::string_view text, std::span<const unsigned char> signature);

}  // namespace flipback::jwks
