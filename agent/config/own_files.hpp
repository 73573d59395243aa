#pragma once

#include "flipback/settings.hpp"

#include "agent/config/configuration.hpp"

namespace flipback::config {

/// Reports every key by which two of the agent's own files would be one: the state, what lies beside it, the socket, the record.
void check_own_files(settings::section& root, const configuration& read);

}  // namespace flipback::config
