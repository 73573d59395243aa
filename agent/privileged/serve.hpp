#pragma once

#include "flipback/descriptor.hpp"
#include "flipback/units.hpp"

#include <cstdio>
#include <string>

namespace flipback::privileged {

struct terms {
  std::string settings = "/etc/flipback/helper.toml";
  std::string state = "/var/lib/flipback-helper";
  duration patience = std::chrono::seconds(2);  ///< with a peer, for all of its order
  std::FILE* log = stderr;
};

/// One peer: who it is, its order, doing it, the answer, and a line of it in the log. Settings are read anew for each. Never waits
/// longer than `patience` and, with a test, [nginx] command_timeout.
void serve(descriptor peer, const terms& by);

/// To be called when there was nobody to serve for a minute, before the end.
void tidy_up(const terms& by);

}  // namespace flipback::privileged
