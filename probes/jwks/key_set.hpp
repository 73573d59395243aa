#pragma once

#include "probes/net/json.hpp"

#include <openssl/evp.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::jwks {

/// A usable key of a set.
struct key {
  std::string id;         ///< `kid`; empty: it has none; another key may have it that is for something else
  std::string algorithm;  ///< `alg`: the only one that it is for; empty: whichever fits
  bool signs = false;     ///< may verify signatures: its `use` is sig or absent, and so with `key_ops`
  std::shared_ptr<EVP_PKEY> material;
};

/// What a JSON Web Key Set (RFC 7517) holds, every key of it parsed.
struct key_set {
  std::vector<key> keys;
  std::size_t unknown = 0;  ///< without a type, or of one or on a curve that we don't know: not among the usable, no mistake
  std::set<std::string> algorithms;

  [[nodiscard]] std::size_t signing() const;
  /// Whether any key has this id; several may, where they are for different things.
  [[nodiscard]] bool has(std::string_view id) const;
  /// Whether a key is for an algorithm, by its name for it or, where it has none, by its type.
  [[nodiscard]] bool has_key_for(std::string_view algorithm) const;
};

/// Parses a set, or says what is wrong with it. One bad key makes the whole set bad: whoever verifies tokens reads all of it. A symmetric
/// or a private key in a public set is a leaked secret, and so a failure. Nothing of a key is in a message but its id.
std::expected<key_set, std::string> parse(const net::result<net::json_document>& body);

/// A key's id as a message may have it: in quotes, one line, bounded.
std::string shown_id(std::string_view id);

}  // namespace flipback::jwks
