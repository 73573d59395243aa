#include "agent/cli/command_line.hpp"

#include "flipback/one_line.hpp"

#include "agent/cli/misplaced.hpp"
#include "agent/cli/version.hpp"

#include <fmt/format.h>

namespace flipback::cli {

namespace {

constexpr const char* of_env_file =
    "A file of NAME=value lines, such as .env.production, beside the environment, which wins; may be repeated";

/// In the order in which they are shown: before any verb's.
command_line& add_options(command_line& to) {
  to.app.set_version_flag("--version", version_text);
  to.app.add_option("--config,-c", to.file, "The configuration file; without one, the runbook's variables say what is watched")
      ->type_name("FILE");
  to.app.add_flag("--check", to.check, "Run every probe once, say what was found, and exit (0 passed, 1 failed, 3 unknown, 2 usage)");
  to.app.add_option("--env-file", to.env_files, fmt::format("With --check: {}", of_env_file))->allow_extra_args(false)->type_name("FILE");
  to.app
      .add_option("--format", to.checked.format,
                  "With --check: text, json, junit, tap, nagios (with its exit status: 2 failed, 3 unknown) or prometheus")
      ->check(CLI::IsMember({"text", "json", "junit", "tap", "nagios", "prometheus"}));
  to.app.add_option("--only", to.checked.only, "With --check: only these probes, by name or tag")->delimiter(',');
  to.app.add_option("--skip", to.checked.skip, "With --check: not these probes, by name or tag")->delimiter(',');
  to.app
      .add_option("--slot", to.checked.slot,
                  "With --check: whether this slot is fit, live or not: its health, what goes through a slot asked of this one, past "
                  "nginx, and what both slots share")
      ->type_name("SLOT");
  to.app
      .add_option("--wait", to.checked.wait,
                  "With --check: ask again until all pass, for so long, such as 2m; the exit status is that of the last time")
      ->type_name("DURATION");
  return to;
}

CLI::App* add_validate(command_line& to) {
  CLI::App* const made = to.app.add_subcommand("validate", "Read a configuration and say what is wrong with it");
  made->add_option("FILE", to.validated, "The configuration file; default: the one that --config names")->type_name("FILE");
  made->add_option("--env-file", to.env_files, of_env_file)->allow_extra_args(false)->type_name("FILE");
  return made;
}

CLI::App* add_init(command_line& to) {
  CLI::App* const made = to.app.add_subcommand(
      "init", "Look at this host (nginx -T, compose files, env files, ports) and write a configuration; asks nothing, overwrites nothing");
  made->add_option("--output", to.output, "The file to write, which must not be there yet; default: standard output")->type_name("FILE");
  return made;
}

CLI::App* add_replay(command_line& to) {
  CLI::App* const made = to.app.add_subcommand("replay", "Judge by other rules what an agent has recorded ([record]), or Prometheus");
  made->add_option("SOURCE", to.replayed.sources,
                   "A record (what came before it, FILE.1, is read first), alone; or metrics: texts with timestamps, as promtool tsdb dump "
                   "writes them, and answers of /api/v1/query_range as SIGNAL=FILE, a ratio's as SIGNAL=NUMERATOR,DENOMINATOR")
      ->required()
      ->type_name("FILE");
  made->add_option("--rules", to.replayed.rules,
                   "A configuration whose [[rules]] judge, and whose probes say what metrics mean; without one, the built-in rules alone")
      ->type_name("FILE");
  made->add_option("--cutover", to.replayed.cutovers, "When there was a cutover, which metrics do not tell: 2026-11-24T03:30:12Z")
      ->allow_extra_args(false)
      ->type_name("TIME");
  made->add_option("--format", to.replayed.format, "text or json")->check(CLI::IsMember({"text", "json"}));
  made->add_flag("--all", to.replayed.all, "Changes between ok and unknown, too");
  return made;
}

}  // namespace

command_line::command_line()
    : validating(add_validate(add_options(*this))), initial(add_init(*this)), replaying(add_replay(*this)), to_agent(app, file) {
  versioned = app.add_subcommand("version", "Print the version, and those of the libraries");
  app.require_subcommand(0, 1);
  app.footer(
      "Without a verb and without --check it runs as an agent. A verb's exit status: 0 done, 1 not done, 2 usage, or no agent answers.");
  app.failure_message([](const CLI::App* typed, const CLI::Error& error) {
    const std::string verb = verb_of(*typed);
    return fmt::format("flipback: {}{}; `flipback {}--help` says what is expected\n", verb.empty() ? "" : verb + ": ",
                       one_line(error.what()), verb.empty() ? "" : verb + " ");
  });
}

}  // namespace flipback::cli
