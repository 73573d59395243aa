#pragma once

#include "agent/incident/history_file.hpp"
#include "agent/serve/demand.hpp"

#include <string>

namespace flipback::serve {

/// Whether a verb asks what happened: that is on disk, whether an agent runs or not.
bool asks_what_happened(const demand& what);

/// `incidents`, `incidents ID` and `log`, from what is on record, with the commands in it as they are typed to reach the agent on this
/// socket. Blocks.
reply what_happened(const incident::record& all, const demand& what, const std::string& socket);

}  // namespace flipback::serve
