#include "agent/cli/misplaced.hpp"

#include <fmt/format.h>

namespace flipback::cli {

std::string verb_of(const CLI::App& typed) {
  std::string words;
  const CLI::App* at = &typed;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    words += fmt::format("{}{}", words.empty() ? "" : " ", at->get_name());
  }
  return words;
}

std::optional<std::string> misplaced(const CLI::App& typed, const std::string& configuration, const std::string& validated) {
  const std::string verb = verb_of(typed);
  const bool checks = typed.count("--check") > 0;
  if (checks && !verb.empty())
    return fmt::format("found --check beside {0}, expected one of the two: type `flipback --check` or `flipback {0}`", verb);
  for (const char* option : {"--format", "--only", "--skip", "--slot", "--wait"}) {
    if (typed.count(option) > 0 && !checks)
      return fmt::format("found {0} without --check, which alone takes it: type `flipback --check {0} …`", option);
  }
  if (typed.count("--env-file") > 0 && !checks && verb != "validate")
    return "found --env-file without --check or validate, which alone take it: a configuration names such files by env_files";
  if (configuration.empty()) return std::nullopt;
  if (!validated.empty()) return fmt::format("found two configurations, {} and {}, expected one", configuration, validated);
  if (verb == "replay") return "found --config beside replay, which reads none: --rules names the file whose rules judge";
  if (verb == "init") return "found --config beside init, which reads none: --output names the file that it writes";
  if (verb == "version") return "found --config beside version, which reads none";
  return std::nullopt;
}

}  // namespace flipback::cli
