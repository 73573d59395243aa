#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flipback {

/// Text as a part of a path or a query (RFC 3986): all but letters, digits and -._~ as %XX.
std::string percent_encoded(std::string_view text);
/// The text again; nothing where a % is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace flipback
