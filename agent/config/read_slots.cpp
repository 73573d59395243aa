#include "agent/config/read_slots.hpp"

#include "agent/config/read_switch.hpp"
#include "probes/net/http_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace flipback::config {

namespace {

/// What would make a signal mean two things: "live.up", "traffic.requests".
constexpr auto taken = std::to_array<std::string_view>({"live",
                                                        "stable",
                                                        "previous",
                                                        "front_door",
                                                        "traffic",
                                                        "up",
                                                        "reachable",
                                                        "latency",
                                                        "consecutive_failures",
                                                        "failure_ratio",
                                                        "requests",
                                                        "rps",
                                                        "error_rate",
                                                        "client_error_rate",
                                                        "success_rate",
                                                        "limited_rate",
                                                        "aborted_rate",
                                                        "slow_rate",
                                                        "elsewhere",
                                                        "local_error_rate",
                                                        "errors_top",
                                                        "local_errors",
                                                        "malformed",
                                                        "lag",
                                                        "latencies",
                                                        "p50",
                                                        "p90",
                                                        "p95",
                                                        "p99"});

bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
}

void check_name(const std::string& name, settings::section& from) {
  if (!is_name(name)) from.report_here("is no name for a slot: expected letters, digits, _ and -");
  if (std::ranges::find(taken, name) != taken.end())
    from.report_here(fmt::format("{} means something else in rules; expected another name for the slot", name));
}

slot read_slot(const std::string& name, settings::section& from) {
  slot read;
  read.name = name;
  check_name(name, from);
  read.url = read_url(from, "url", "http://127.0.0.1:8000");
  read_switched_by(read, from);
  read.health = from.text("health", read.health);
  if (!read.health.starts_with('/')) {
    from.report("health", fmt::format("found {}, expected a path that begins with / such as \"/health\"", from.shown("health")));
  }
  read.expect = read_expectation(from, "expect");
  read.upstreams = from.texts("upstreams");
  if (read.upstreams.empty()) {
    if (const auto parsed = net::parse_url(read.url)) read.upstreams.push_back(net::to_string(parsed->to));
  }
  read.checks = from.texts("checks");
  from.finish();
  return read;
}

}  // namespace

std::string read_url(settings::section& from, std::string_view key, std::string_view example) {
  std::string url = from.required_text(key, example);
  if (url.empty()) return url;
  if (const auto parsed = net::parse_url(url); !parsed) {
    from.report(key, fmt::format("found {}, which {}; expected a URL such as \"{}\"", from.shown(key), parsed.error(), example));
  }
  return url;
}

void read_slots(settings::section& root, std::vector<slot>& into) {
  for (auto& [name, from] : root.inners("slots")) into.push_back(read_slot(name, from));
}

}  // namespace flipback::config
