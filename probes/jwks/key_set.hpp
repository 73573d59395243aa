#pragma once

#include <expected>
#include <set>
#include <string>
#include <string_view>

namespace flipback::jwks {

/// What a JSON Web Key Set (RFC 7517) holds, every key of it parsed.
struct key_set {
  std::size_t keys = 0;
  std::size_t signing = 0;  ///< usable keys whose `use` is sig, or that have none
  std::size_t unknown = 0;  ///< of a type or on a curve that we don't know: not counted as usable, no mistake
  std::set<std::string> algorithms;
};

/// Parses a set, or says what is wrong with it. One bad key makes the whole set bad: whoever verifies tokens reads all of it. A symmetric
/// or a private key in a public set is a leaked secret, and so a failure. Nothing of a key is in a message but its id.
std::expected<key_set, std::string> parse(std::string_view body);

}  // namespace flipback::jwks
