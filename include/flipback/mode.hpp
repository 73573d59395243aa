#pragma once

#include <cstdint>
#include <string_view>

namespace flipback {

/// What may follow from a breach: it is said, asked for, or done. Of two that apply, the more careful holds: the smaller.
enum class mode : std::uint8_t { observe, ask, act };
std::string_view name_of(mode m);

}  // namespace flipback
