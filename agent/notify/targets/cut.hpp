#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace flipback::notify {

/// The text, or the first whole characters of it with "…" behind them, in at most so many bytes: services that count characters have
/// room for them in any case.
std::string cut(std::string_view text, std::size_t most);

}  // namespace flipback::notify
