#include "agent/cli/check.hpp"

#include "flipback/one_line.hpp"
#include "flipback/quoted.hpp"

#include "agent/cli/check_report.hpp"
#include "agent/cli/check_selection.hpp"
#include "agent/cli/check_waiting.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <expected>

namespace flipback::cli {

namespace {

/// How long it is asked again for; zero: it is asked once.
std::expected<duration, std::string> patience_of(const check_options& options) {
  constexpr duration longest = std::chrono::days(1);
  if (options.wait.empty()) return duration{};
  const auto read = parse_duration(options.wait);
  if (!read || *read < duration{} || *read > longest)
    return std::unexpected(fmt::format("found --wait {}, expected a duration such as 30s or 2m, to 1d", in_quotes(options.wait)));
  return *read;
}

}  // namespace

int refuse(const check_options& options, const std::string& why) {
  // Nagios shows what is on standard output alone, and takes 2 for an outage.
  if (options.format == "nagios") {
    fmt::print("FLIPBACK UNKNOWN - {}\n", one_line(why));
    return 3;
  }
  fmt::print(stderr, "flipback: {}\n", one_line(why));
  return 2;
}

int check(const config::configuration& configured, const check_options& options) {
  const auto patience = patience_of(options);
  if (!patience) return refuse(options, patience.error());
  const auto selected = select(configured, options);
  if (!selected) return refuse(options, selected.error());
  const round_found found = ask_until_passed(*selected, *patience);
  print_report(options.format, found.all, found.took);
  return options.format == "nagios" ? nagios_status(found.all) : exit_status(found.all);
}

}  // namespace flipback::cli
