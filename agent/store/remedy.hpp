#pragma once

#include <string_view>

namespace flipback {

/// What a person does where the state, or the journal beside it, can't be written.
inline constexpr std::string_view make_the_state_writable = "make room for the folder of [agent] state, or let the agent write there";

}  // namespace flipback
