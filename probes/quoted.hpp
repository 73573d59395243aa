#pragma once

#include "flipback/secret.hpp"

#include <span>
#include <string>
#include <string_view>

namespace flipback {

/// What somebody else wrote, fit for a sentence of ours: one line of printable UTF-8 of at most `most` bytes, with each of these secrets
/// (as it is, or percent-encoded) taken out. Servers repeat what they were sent.
std::string quoted(std::string_view theirs, std::span<const secret> without = {}, std::size_t most = 200);

}  // namespace flipback
