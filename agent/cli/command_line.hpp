#pragma once

#include "agent/cli/check.hpp"
#include "agent/cli/replay.hpp"
#include "agent/cli/verbs.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace flipback::cli {

/// What may be typed, and after `app.parse` what was. `--help`, the manual page and the shell's completion are made of this one definition.
struct command_line {
  command_line();
  command_line(const command_line&) = delete;  // the options know where their values are to be put
  command_line& operator=(const command_line&) = delete;

  CLI::App app{"Health checks and automatic rollback for blue-green deployments behind nginx", "flipback"};
  std::string file;  ///< of --config
  std::vector<std::string> env_files;
  bool check = false;
  check_options checked;
  std::string validated;  ///< the file after `validate`
  std::string output;     ///< of `init`
  replay_options replayed;
  CLI::App* validating;
  CLI::App* initial;
  CLI::App* replaying;
  verbs to_agent;
  CLI::App* versioned;
};

}  // namespace flipback::cli
