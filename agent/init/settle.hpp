#pragma once

#include "agent/init/draft.hpp"

namespace flipback::init {

/// Holds every part against the reader of configurations, in this process's environment, and switches off what it does not take, with what
/// it says of it: what is left is a configuration that validates. Reads the env files that the draft names.
void settle(draft& of);

}  // namespace flipback::init
