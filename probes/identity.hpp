#pragma once

#include "flipback/settings.hpp"

#include "probes/net/http_client.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace flipback {

/// Where a release says what it is: a header, or a JSON pointer (RFC 6901) into the body. Both empty: nowhere.
struct identity_source {
  std::string header;   ///< "X-Release"
  std::string pointer;  ///< "/version"
  friend bool operator==(const identity_source&, const identity_source&) = default;
};

/// Reads "/version" or "header:X-Release" under `key`.
identity_source read_identity(settings::section& from, std::string_view key);

inline constexpr std::size_t longest_identity = 512;  ///< bytes: it is remembered, and told again in many places

/// What an answer says that it is; nothing where it does not say, or says more than that. JSON that is no string is given as its JSON text.
std::optional<std::string> identity_of(const identity_source& source, const net::http_answer& answer);

/// Of an answer in which `identity_of` finds nothing, for people: what it lacks, and what there is instead.
std::string lacking_in(const identity_source& source, const net::http_answer& answer);

}  // namespace flipback
