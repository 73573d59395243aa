#pragma once

#include "flipback/secret.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flipback {

/// What somebody else wrote, fit for a sentence of ours: one line of printable UTF-8 of at most `most` bytes, with each of these secrets
/// taken out (`discretion`). Servers repeat what they were sent.
std::string quoted(std::string_view theirs, std::span<const secret> without = {}, std::size_t most = 200);

/// The same in quotes; where they wrote no more than blanks, the word "nothing".
std::string in_quotes(std::string_view theirs, std::span<const secret> without = {}, std::size_t most = 200);

/// Adds what was sent, and every word of it that is long enough to tell something, to what no message may repeat.
void hide_sent(std::vector<secret>& hidden, std::string_view sent);

}  // namespace flipback
