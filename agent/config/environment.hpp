#pragma once

#include "flipback/settings.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::config {

/// The environment as a map, so that tests can give their own.
using environment = std::map<std::string, std::string, std::less<>>;

/// The variables of this process.
environment process_environment();

/// Letters, digits and _, no digit first.
bool is_variable_name(std::string_view text);

struct env_file {
  std::string path;
  settings::position named_at;
};

/// Reads NAME=value lines as docker-compose and systemd do: comments, blank lines, `export `, single quotes (as they stand) and double
/// quotes (with \" \\ \n \t \$). Adds to `into` what is not there yet: the process's own environment wins over files, a later file over an
/// earlier one. A `$` in a file is only a `$`.
void read_env_files(const std::vector<env_file>& files, environment& into, settings::diagnostics& problems);

/// Replaces ${NAME} and ${NAME:-default} in every string below `from`; $$ is one $. A name that is not set is a problem.
/// `path` is where `from` stands: "probes.postgres"; empty: the whole file.
void interpolate(settings::node& from, const std::string& path, const environment& with, settings::diagnostics& problems);

}  // namespace flipback::config
