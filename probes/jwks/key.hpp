#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace flipback::jwks {

/// A member of a key, where it says something: some libraries write what a key does not have as null, "" or [].
const boost::json::value* stated_in(const boost::json::object& from, std::string_view name);

/// The same, where it is a text.
std::optional<std::string> text_in(const boost::json::object& from, std::string_view name);

/// Whether a key (RFC 7517) is of a type and on a curve that we know. A reader skips one that it does not know (section 5).
bool is_known(const boost::json::object& key);

/// The public key that a key of a known type describes, as OpenSSL has it (RFC 7518, 6; RFC 8037; RFC 8812), or nothing where it is no
/// usable one: RSA under 1024 bits, a point that is not on its curve.
std::shared_ptr<EVP_PKEY> public_key(const boost::json::object& key);

/// Where a key comes with its certificate (`x5c`), the two must be one.
bool fits_its_certificate(const boost::json::object& key, const EVP_PKEY& made);

/// The SHA-256 of a public key's own encoding, the first 8 bytes in hexadecimal: tells two keys apart whatever their ids are.
std::string fingerprint(const EVP_PKEY& key);

}  // namespace flipback::jwks
