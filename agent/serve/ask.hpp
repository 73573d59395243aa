#pragma once

#include "flipback/units.hpp"

#include "agent/serve/demand.hpp"

#include <expected>
#include <optional>
#include <string>

namespace flipback::serve {

/// The command line's side of the control socket: asks the agent at `path` and waits for its answer. Blocks. What is no UTF-8 is sent with
/// U+FFFD in its place. An error says what is known of why there is no answer, and no more; `typed` is the command line that asks this, for
/// whoever may not. Without a limit it waits for as long as what is asked for takes.
std::expected<reply, std::string> ask(const std::string& path, const demand& what, const std::string& typed,
                                      std::optional<duration> limit = std::nullopt);

}  // namespace flipback::serve
