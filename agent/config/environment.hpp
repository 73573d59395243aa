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
  std::string named_by = "env_files";  ///< the key or the option that names it
};

/// A line of an env file that is not understood, of a variable that is set nowhere else.
struct unread_line {
  settings::position at;
  std::string why;
  bool is_bare = false;  ///< NAME alone: understood, but it sets nothing
};

/// What the process and env files set.
struct variables {
  environment set;
  std::map<std::string, unread_line, std::less<>> unread;  ///< by the name of the variable: whoever uses it must say so
  std::vector<std::string> notes;                          ///< the lines that were passed over, a note for each file that has some
};

/// Reads NAME=value lines as docker-compose and systemd do: comments, blank lines, `export `, single quotes (as they stand) and double
/// quotes (with \" \\ \n \t \$); quoted values may go over several lines. The process's own environment, `from`, wins over files, a later
/// file over an earlier one. A `$` in a file is only a `$`. Lines that are not understood are passed over and noted, since applications
/// have their own dialects; a file that can't be read is a problem.
variables read_env_files(const std::vector<env_file>& files, const environment& from, settings::diagnostics& problems);

/// "PASSWORD can't be read: .env:3: its quote is never closed".
std::string why_unread(std::string_view name, const unread_line& line);

/// Replaces ${NAME} and ${NAME:-default} in every string below `from`; $$ is one $. A name that is not set is a problem, and so is one
/// whose line in an env file is not understood. `path` is where `from` stands: "probes.postgres"; empty: the whole file.
void interpolate(settings::node& from, const std::string& path, const variables& with, settings::diagnostics& problems);

}  // namespace flipback::config
