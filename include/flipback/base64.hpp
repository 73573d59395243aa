#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback {

/// base64 (RFC 4648, 4), padded or not; nothing where it is none.
std::optional<std::vector<unsigned char>> from_base64(std::string text);
/// base64url without padding (RFC 7515, appendix C).
std::optional<std::vector<unsigned char>> from_base64url(std::string text);
/// base64 with padding.
std::string to_base64(std::string_view bytes);

}  // namespace flipback
