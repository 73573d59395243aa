#pragma once

#include "flipback/settings.hpp"

#include <map>
#include <string>

namespace flipback::config {

/// The environment as a map, so that tests can give their own.
using environment = std::map<std::string, std::string, std::less<>>;

/// The variables of this process.
environment process_environment();

/// Reads KEY=VALUE lines as docker-compose and systemd do: comments, blank lines, `export `, single or double quotes. Adds to `into` what is
/// not there yet: the process's own environment wins over files, a later file over an earlier one.
void read_env_files(const std::vector<std::string>& files, const settings::position& named_at, environment& into, settings::diagnostics& problems);

/// Replaces ${NAME} and ${NAME:-default} in every string below `from`; $$ is one $. A name that is not set is a problem.
void interpolate(settings::node& from, const environment& with, settings::diagnostics& problems);

}  // namespace flipback::config
