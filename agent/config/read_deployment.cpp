#include "agent/config/read_deployment.hpp"

#include "probes/net/http_client.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace flipback::config {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string read_url(settings::section& from, std::string_view key, std::string_view example) {
  std::string url = from.required_text(key, example);
  if (url.empty()) return url;
  if (const auto parsed = net::parse_url(url); !parsed) {
    from.report(key, fmt::format("found {}, which {}; expected a URL such as \"{}\"", from.shown(key), parsed.error(), example));
  }
  return url;
}

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

slot read_slot(const std::string& name, settings::section& from, bool site_needed) {
  slot read;
  read.name = name;
  if (!is_name(name)) from.report_here("is no name for a slot: expected letters, digits, _ and -");
  if (std::ranges::find(taken, name) != taken.end())
    from.report_here(fmt::format("{} means something else in rules; expected another name for the slot", name));
  read.url = read_url(from, "url", "http://127.0.0.1:8000");
  read.site = site_needed ? from.required_text("site", "/etc/nginx/sites-available/" + name) : from.text("site", "");
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

front_door read_front_door(settings::section& from) {
  front_door read;
  constexpr std::string_view example = R"({ url = "http://127.0.0.1/health", host = "api.example.com", identity = "/version" })";
  const bool given = from.has("front_door");
  auto inner = from.inner("front_door");
  if (!given) from.report("front_door", fmt::format("is missing, expected where users come in, such as {}", example));
  if (!inner) return read;
  read.url = read_url(*inner, "url", "http://127.0.0.1/health");
  read.host = inner->text("host", "");
  read.ca_file = inner->text("ca_file", "");
  read.identity = read_identity(*inner, "identity");
  if (!inner->has("identity")) {
    inner->report("identity", R"(is missing, expected a JSON pointer such as "/version" or a header such as "header:X-Release")");
  }
  inner->finish();
  return read;
}

mode parse_mode(const std::string& word) {
  return word == "act" ? mode::act : word == "ask" ? mode::ask : mode::observe;
}

void check_slots(settings::section& from, const deployment& read, const std::vector<slot>& slots) {
  if (slots.size() != 2) {
    from.report_here(fmt::format("found {} {}, expected two, such as [slots.blue] and [slots.green]", slots.size(),
                                 slots.size() == 1 ? "slot" : "slots"));
  }
  if (read.stable == "previous" || std::ranges::find(slots, read.stable, &slot::name) != slots.end()) return;
  std::vector<std::string> names{"previous"};
  for (const slot& s : slots) names.push_back(s.name);
  const std::string meant = settings::nearest(read.stable, names);
  from.report("stable", fmt::format("found {}, expected one of {}{}", from.shown("stable"), fmt::join(names, ", "),
                                    meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant)));
}

std::vector<std::string> read_live_sites(settings::section& from) {
  std::vector<std::string> read = from.texts("live_sites");
  const bool several = from.has("live_sites");
  if (from.has("live_site")) {
    if (several) from.report("live_site", "live_sites is given too; keep one of the two");
    read.push_back(from.required_text("live_site", "/etc/nginx/sites-enabled/default"));
  } else if (!several) {
    from.report("live_site", R"(is missing, expected the file that nginx reads, such as "/etc/nginx/sites-enabled/default")");
  } else if (read.empty()) {
    from.report("live_sites", R"(found no file, expected at least one such as "/etc/nginx/sites-enabled/default")");
  }
  return read;
}

/// systemd and docker are how others reload; they are known, so that the message can say what to write instead.
std::string read_reload(settings::section& from, const std::string& fallback) {
  std::string how = from.choice("reload", fallback, {"signal", "command", "systemd", "docker"});
  if (how == "signal" || how == "command") return how;
  const std::string_view instead =
      how == "systemd" ? R"(["systemctl", "reload", "nginx"])" : R"(["docker", "exec", "nginx", "nginx", "-s", "reload"])";
  from.report("reload", fmt::format(R"(found "{}", which is not in this version; expected "signal", or "command" with reload_command = {})",
                                    how, instead));
  return fallback;
}

}  // namespace

void read_nginx(settings::section& root, nginx& into) {
  auto from = root.inner("nginx");
  if (!from) return;
  const auto path = [&](std::string_view key, std::string& read) {
    if (from->has(key)) read = from->required_text(key, read);
  };
  path("binary", into.binary);
  path("conf", into.conf);
  into.prefix = from->text("prefix", into.prefix);
  path("pid", into.pid);
  into.error_log = from->text("error_log", into.error_log);
  into.reload = read_reload(*from, into.reload);
  const settings::node* command = from->raw("reload_command");
  if (command != nullptr && !std::holds_alternative<settings::array>(command->value)) {
    from->report("reload_command",
                 fmt::format(R"(found {}, expected an array, such as ["systemctl", "reload", "nginx"]: no shell takes it apart)",
                             settings::shown(*command)));
  } else {
    into.reload_command = from->texts("reload_command");
    if (into.reload == "command" && into.reload_command.empty()) {
      from->report("reload_command", R"(is missing, expected with reload = "command" an array such as ["systemctl", "reload", "nginx"])");
    }
    if (into.reload != "command" && command != nullptr && from->text("reload", "signal") == "signal") {
      from->report("reload_command", R"(is only used with reload = "command"; expected that, or no reload_command)");
    }
  }
  into.command_timeout = from->span("command_timeout", into.command_timeout, milliseconds(100), minutes(10));
  from->finish();
}

void read_slots(settings::section& root, std::vector<slot>& into) {
  const bool site_needed = root.has("deployment");
  for (auto& [name, from] : root.inners("slots")) into.push_back(read_slot(name, from, site_needed));
}

void read_deployment(settings::section& root, configuration& into) {
  auto from = root.inner("deployment");
  if (!from) return;
  deployment read;
  read.mode = parse_mode(from->choice("mode", "observe", {"observe", "ask", "act"}));
  read.stable = from->text("stable", read.stable);
  read.window = from->span("window", read.window, seconds(1), hours(24));
  read.extended = from->span("extended", std::max(read.extended, read.window), read.window, hours(24 * 7));
  read.confirm = static_cast<unsigned>(from->integer("confirm", read.confirm, 1, 100));
  read.confirm_every = from->span("confirm_every", read.confirm_every, milliseconds(10), minutes(1));
  read.prove = static_cast<unsigned>(from->integer("prove", read.prove, 1, 100));
  read.prove_within = from->span("prove_within", read.prove_within, milliseconds(100), minutes(10));
  read.watch_every = from->span("watch_every", read.watch_every, milliseconds(50), minutes(1));
  read.live_sites = read_live_sites(*from);
  read.front_door = read_front_door(*from);
  check_slots(*from, read, into.slots);
  from->finish();
  into.deployment = std::move(read);
}

}  // namespace flipback::config
