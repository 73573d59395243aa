#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace flipback {

/// The bytes of the well-formed UTF-8 character that a text begins with; 0: there is none (RFC 3629, table in section 4).
std::size_t utf8_character_size(std::string_view text);

/// Where the first byte is that belongs to no well-formed character; the text's size where there is none.
std::size_t first_malformed(std::string_view text);

/// The text with U+FFFD in the place of every byte that belongs to no well-formed character.
std::string well_formed(std::string_view text);

}  // namespace flipback
