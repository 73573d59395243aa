#pragma once

#include "agent/serve/demand.hpp"

#include <string>

namespace flipback::serve {

/// Whether a verb asks what happened: that is on disk, whether an agent runs or not.
bool asks_what_happened(const demand& what);

/// `incidents`, `incidents ID` and `log`, from a history's file, with the commands in it as they are typed to reach the agent on this socket.
/// Blocks.
reply what_happened(const std::string& file, const demand& what, const std::string& socket);

}  // namespace flipback::serve
