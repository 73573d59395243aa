#include "agent/cli/check_report.hpp"

#include "flipback/one_line.hpp"

#include "agent/cli/check_formats.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

namespace flipback::cli {

namespace {

void print_text(const std::vector<checked>& all, duration took) {
  const bool colours = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  constexpr std::array<std::string_view, 3> marks{"✓", "✗", "?"};
  constexpr std::array<std::string_view, 3> paint{"\033[32m", "\033[31m", "\033[33m"};
  std::size_t widest = 0;
  for (const checked& c : all) widest = std::max(widest, c.name.size());
  for (const checked& c : all) {
    const auto which = static_cast<std::size_t>(c.seen.result);
    fmt::print("{}{}{} {:<{}}  {}  ({})\n", colours ? paint.at(which) : "", marks.at(which), colours ? "\033[0m" : "", c.name, widest,
               one_line(c.seen.says), format_duration(c.seen.latency));
  }
  fmt::print("{} passed, {} failed, {} unknown in {}\n", count(all, outcome::pass), count(all, outcome::fail), count(all, outcome::unknown),
             format_duration(took));
}

boost::json::object as_json(const checked& c) {
  boost::json::object made{{"name", c.name},
                           {"outcome", name_of(c.seen.result)},
                           {"reason", name_of(c.seen.why)},
                           {"says", c.seen.says},
                           {"seconds", to_seconds(c.seen.latency)}};
  boost::json::object measurements;
  for (const auto& [name, number] : c.seen.numbers) measurements[name] = number;
  made["measurements"] = std::move(measurements);
  return made;
}

void print_json(const std::vector<checked>& all, duration took) {
  boost::json::array probes;
  for (const checked& c : all) probes.push_back(as_json(c));
  const boost::json::object document{{"version", FLIPBACK_VERSION},         {"passed", count(all, outcome::pass)},
                                     {"failed", count(all, outcome::fail)}, {"unknown", count(all, outcome::unknown)},
                                     {"seconds", to_seconds(took)},         {"probes", std::move(probes)}};
  fmt::print("{}\n", escaped_json(boost::json::serialize(document)));
}

}  // namespace

kept::kept(const observation& seen) : result(seen.result), why(seen.why), says(seen.says), latency(seen.latency) {
  for (const measurement& m : seen.measurements) {
    if (const auto* number = std::get_if<double>(&m.value)) numbers.emplace_back(m.name, *number);
    if (const auto* ratio = std::get_if<pooled>(&m.value); ratio != nullptr && ratio->denominator > 0)
      numbers.emplace_back(m.name, ratio->numerator / ratio->denominator);
  }
}

std::size_t count(const std::vector<checked>& all, outcome o) {
  return static_cast<std::size_t>(std::ranges::count_if(all, [o](const checked& c) { return c.seen.result == o; }));
}

void print_report(const std::string& format, const std::vector<checked>& all, duration took) {
  if (format == "json")
    print_json(all, took);
  else if (format == "junit")
    fmt::print("{}", junit(all, took, std::chrono::system_clock::now() - std::chrono::duration_cast<wall_time::duration>(took)));
  else if (format == "tap")
    fmt::print("{}", tap(all));
  else if (format == "nagios")
    fmt::print("{}", nagios(all, took));
  else if (format == "prometheus")
    fmt::print("{}", prometheus(all, took));
  else
    print_text(all, took);
}

int exit_status(const std::vector<checked>& all) {
  if (count(all, outcome::fail) > 0) return 1;
  return count(all, outcome::unknown) > 0 ? 3 : 0;
}

int nagios_status(const std::vector<checked>& all) {
  constexpr int critical = 2;
  const int status = exit_status(all);
  return status == 1 ? critical : status;
}

}  // namespace flipback::cli
