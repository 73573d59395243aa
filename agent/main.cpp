#include "flipback/one_line.hpp"

#include "agent/cli/check.hpp"
#include "agent/cli/init.hpp"
#include "agent/cli/misplaced.hpp"
#include "agent/cli/replay.hpp"
#include "agent/cli/rollback_line.hpp"
#include "agent/cli/verbs.hpp"
#include "agent/config/validate.hpp"
#include "agent/supervisor.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>

namespace {

using namespace flipback;

constexpr int usage_error = 2;

/// Reads and checks a configuration; prints every problem. Nothing where there is one.
std::optional<config::configuration> read(const std::string& file, const std::vector<std::string>& env_files) {
  settings::diagnostics problems;
  config::sources from{config::process_environment()};
  for (const std::string& path : env_files) from.env_files.push_back({path, {}, "--env-file"});
  config::configuration made = config::validate(file, from, problems);
  for (const settings::problem& p : problems.sorted()) fmt::print(stderr, "{}\n", one_line(to_string(p)));
  if (!problems.clean()) return std::nullopt;
  return made;
}

void print_notes(const config::configuration& of) {
  for (const std::string& note : of.notes) fmt::print(stderr, "note: {}\n", one_line(note));
}

int validate(const std::string& file, const std::vector<std::string>& env_files) {
  const auto made = read(file, env_files);
  if (!made) return usage_error;
  print_notes(*made);
  fmt::print("{} is good: {} probes, {} rules of its own{}\n", file.empty() ? "the environment" : file, made->probes.size(),
             made->rules.size(), made->deployment ? ", a deployment" : "");
  if (!made->deployment) return 0;
  std::fflush(stdout);  // what follows may take as long as nginx -t
  asio::io_context loop(1);
  std::exception_ptr failed;
  asio::co_spawn(loop, cli::look_ready(loop, *made), [&failed](std::exception_ptr thrown, const deployment::readiness& found) {
    if (!thrown) fmt::print("{}\n", fmt::join(cli::rollback_lines(found), "\n"));
    failed = std::move(thrown);
  });
  loop.run();
  if (failed) std::rethrow_exception(failed);
  return 0;
}

int run_agent(const std::string& file, config::configuration first) {
  asio::io_context loop(1);
  supervisor agent(loop, file, std::move(first));
  std::exception_ptr failed;
  asio::co_spawn(loop, agent.run(), [&](std::exception_ptr thrown) {
    failed = std::move(thrown);
    loop.stop();
  });
  loop.run();
  // Last answers go out; what still waits for the outside, such as a command that runs on, is not waited for.
  loop.restart();
  loop.run_for(std::chrono::seconds(1));
  if (failed) std::rethrow_exception(failed);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Health checks and automatic rollback for blue-green deployments behind nginx", "flipback");
  app.set_version_flag("--version", "flipback " FLIPBACK_VERSION);
  std::string file;
  std::vector<std::string> env_files;
  bool check = false;
  cli::check_options options;
  app.add_option("--config,-c", file, "The configuration file; without one, the runbook's variables say what is watched");
  app.add_flag("--check", check, "Run every probe once, say what was found, and exit (0 passed, 1 failed, 3 unknown, 2 usage)");
  constexpr const char* of_env_file =
      "A file of NAME=value lines, such as .env.production, beside the environment, which wins; may be repeated";
  app.add_option("--env-file", env_files, fmt::format("With --check: {}", of_env_file))->allow_extra_args(false);
  app.add_option("--format", options.format, "With --check: text or json")->check(CLI::IsMember({"text", "json"}));
  app.add_option("--only", options.only, "With --check: only these probes, by name or tag")->delimiter(',');
  app.add_option("--skip", options.skip, "With --check: not these probes, by name or tag")->delimiter(',');
  CLI::App* const validating = app.add_subcommand("validate", "Read a configuration and say what is wrong with it");
  std::string validated;
  validating->add_option("FILE", validated, "The configuration file; default: the one that --config names");
  validating->add_option("--env-file", env_files, of_env_file)->allow_extra_args(false);
  CLI::App* const initial = app.add_subcommand(
      "init", "Look at this host (nginx -T, compose files, env files, ports) and write a configuration; asks nothing, overwrites nothing");
  std::string output;
  initial->add_option("--output", output, "The file to write, which must not be there yet; default: standard output");
  cli::replay_options replayed;
  CLI::App* const replaying = app.add_subcommand("replay", "Judge by other rules what an agent has recorded ([record]), or Prometheus");
  replaying
      ->add_option("SOURCE", replayed.sources,
                   "A record (what came before it, FILE.1, is read first), alone; or metrics: texts with timestamps, as promtool tsdb dump "
                   "writes them, and answers of /api/v1/query_range as SIGNAL=FILE, a ratio's as SIGNAL=NUMERATOR,DENOMINATOR")
      ->required();
  replaying->add_option(
      "--rules", replayed.rules,
      "A configuration whose [[rules]] judge, and whose probes say what metrics mean; without one, the built-in rules alone");
  replaying->add_option("--cutover", replayed.cutovers, "When there was a cutover, which metrics do not tell: 2026-11-24T03:30:12Z")
      ->allow_extra_args(false);
  replaying->add_option("--format", replayed.format, "text or json")->check(CLI::IsMember({"text", "json"}));
  replaying->add_flag("--all", replayed.all, "Changes between ok and unknown, too");
  const cli::verbs to_agent(app, file);
  CLI::App* const versioned = app.add_subcommand("version", "Print the version");
  app.require_subcommand(0, 1);
  app.failure_message([](const CLI::App* typed, const CLI::Error& error) {
    const std::string verb = cli::verb_of(*typed);
    return fmt::format("flipback: {}{}; `flipback {}--help` says what is expected\n", verb.empty() ? "" : verb + ": ",
                       one_line(error.what()), verb.empty() ? "" : verb + " ");
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : usage_error;
  }
  if (const auto wrong = cli::misplaced(app, file, validated)) {
    fmt::print(stderr, "flipback: {}\n", one_line(*wrong));
    return usage_error;
  }
  if (to_agent.names_a_socket_for_nothing()) {
    fmt::print(stderr, "flipback: found --socket without a verb that asks the agent, such as status\n");
    return usage_error;
  }
  try {
    if (versioned->parsed()) {
      fmt::print("flipback {}\n", FLIPBACK_VERSION);
      return 0;
    }
    if (validating->parsed()) return validate(validated.empty() ? file : validated, env_files);
    if (initial->parsed()) return cli::init(output);
    if (to_agent.asked()) return to_agent.run();
    if (replaying->parsed()) return cli::replay(replayed);
    auto configured = read(file, env_files);
    if (!configured) return usage_error;
    if (check) print_notes(*configured);
    return check ? cli::check(*configured, options) : run_agent(file, std::move(*configured));
  } catch (const std::exception& error) {
    fmt::print(stderr, "flipback: {}\n", one_line(error.what()));
    return usage_error;
  }
}
