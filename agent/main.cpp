#include "flipback/one_line.hpp"

#include "agent/cli/command_line.hpp"
#include "agent/cli/init.hpp"
#include "agent/cli/misplaced.hpp"
#include "agent/cli/rollback_line.hpp"
#include "agent/cli/version.hpp"
#include "agent/config/validate.hpp"
#include "agent/supervisor.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/crypto.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
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

/// The program's exit status, but for what could not be written.
int carry_out(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT,
                      nullptr);  // a thread that is still proving a password when we end uses what it would take away
  cli::command_line typed;

  try {
    typed.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return typed.app.exit(error) == 0 ? 0 : usage_error;
  }
  if (const auto wrong = cli::misplaced(typed.app, typed.file, typed.validated)) {
    fmt::print(stderr, "flipback: {}\n", one_line(*wrong));
    return usage_error;
  }
  if (typed.to_agent.names_a_socket_for_nothing()) {
    fmt::print(stderr, "flipback: found --socket without a verb that asks the agent, such as status\n");
    return usage_error;
  }
  try {
    if (typed.versioned->parsed()) {
      fmt::print("{}\n", cli::version_text());
      return 0;
    }
    if (typed.validating->parsed()) return validate(typed.validated.empty() ? typed.file : typed.validated, typed.env_files);
    if (typed.initial->parsed()) return cli::init(typed.output);
    if (typed.to_agent.asked()) return typed.to_agent.run();
    if (typed.replaying->parsed()) return cli::replay(typed.replayed);
    auto configured = read(typed.file, typed.env_files);
    if (!configured && typed.check && typed.checked.format == "nagios")
      return cli::refuse(typed.checked, "the configuration is not good: `flipback validate` says why");
    if (!configured) return usage_error;
    if (typed.check) print_notes(*configured);
    return typed.check ? cli::check(*configured, typed.checked) : run_agent(typed.file, std::move(*configured));
  } catch (const std::exception& error) {
    fmt::print(stderr, "flipback: {}\n", one_line(error.what()));
    return usage_error;
  }
}

int main(int argc, char** argv) {
  const int status = carry_out(argc, argv);
  // What was to be read and could not be written was not done.
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  fmt::print(stderr, "flipback: can't write to standard output: {}\n", std::strerror(errno));
  return usage_error;
}
