#pragma once

#include "probes/jwks/key_set.hpp"
#include "probes/net/json.hpp"

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::jwks {

/// A signed JSON Web Token (RFC 7519; RFC 7515, 7.1), taken apart and believed in nothing. It points into the text that it was taken from.
struct token {
  std::string algorithm;              ///< an asymmetric one that we know
  std::optional<std::string> key_id;  ///< of the key that it says it is signed by
  net::json::value claims;            ///< an object
  std::string_view signed_text;
  std::vector<unsigned char> signature;
};

/// Takes a token apart, or says what is wrong with it (`bad_answer`); one without a signature, or signed by a shared secret, is
/// `expectation`. No message has a part of the token in it but the names of its algorithm and key.
net::result<token> decode(std::string_view text);

/// The key of a set that a token is signed by: the one that it names, or where it names none the only one that fits. `absent`: the set
/// has no key of that id.
net::result<const key*> key_for(const token& t, const key_set& in);

/// Whether a token is signed by that key.
bool is_signed_by(const token& t, const key& by);

/// How far two machines' clocks may differ before a token's times are held against it, in seconds.
inline constexpr double leeway = 30;

/// What a token's claims must say (RFC 7519, 4.1). `now` is in seconds since 1970.
struct expected_claims {
  std::string issuer;
  std::string audience;  ///< empty: whichever
  double now = 0;
};
/// The first claim that does not hold, in a sentence; nothing where all do. A token without an end (`exp`) does not hold.
std::optional<net::failure> first_wrong(const net::json::value& claims, const expected_claims& expected);

}  // namespace flipback::jwks
