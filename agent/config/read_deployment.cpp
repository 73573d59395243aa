#include "agent/config/read_deployment.hpp"

#include "probes/net/http_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace flipback::config {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string read_url(settings::section& from, std::string_view key, std::string_view example) {
  std::string url = from.required_text(key, example);
  if (url.empty()) return url;
  if (const auto parsed = net::parse_url(url); !parsed) from.report(key, fmt::format("found \"{}\", which {}", url, parsed.error()));
  return url;
}

slot read_slot(const std::string& name, settings::section& from) {
  slot read;
  read.name = name;
  read.url = read_url(from, "url", "http://127.0.0.1:8000");
  read.site = from.text("site", "");
  read.health = from.text("health", read.health);
  if (!read.health.starts_with('/')) from.report("health", fmt::format("found \"{}\", expected a path that begins with /", read.health));
  read.expect = read_expectation(from, "expect");
  read.upstreams = from.texts("upstreams");
  if (read.upstreams.empty()) {
    if (const auto parsed = net::parse_url(read.url)) read.upstreams.push_back(net::to_string(parsed->to));
  }
  read.checks = from.texts("checks");
  constexpr std::array reserved{"live", "stable", "previous", "traffic", "front_door"};
  if (std::ranges::find(reserved, name) != reserved.end()) from.report_here(fmt::format("{} is no name for a slot: it means something in rules", name));
  from.finish();
  return read;
}

front_door read_front_door(settings::section& from) {
  front_door read;
  auto inner = from.inner("front_door");
  if (!inner) {
    if (!from.has("front_door")) {
      from.report_here(R"(has no front_door, expected one such as { url = "http://127.0.0.1/health", identity = "/version" })");
    }
    return read;
  }
  read.url = read_url(*inner, "url", "http://127.0.0.1/health");
  read.host = inner->text("host", "");
  read.ca_file = inner->text("ca_file", "");
  read.identity = read_identity(*inner, "identity");
  if (!inner->has("identity")) {
    inner->report_here(R"(has no identity, expected a JSON pointer such as "/version" or a header such as "header:X-Release")");
  }
  inner->finish();
  return read;
}

mode parse_mode(const std::string& word) { return word == "act" ? mode::act : word == "ask" ? mode::ask : mode::observe; }

/// What only makes sense for the deployment as a whole.
void check(settings::section& from, const deployment& read, const std::vector<slot>& slots) {
  if (slots.size() != 2) from.report_here(fmt::format("found {} slots, expected two: [slots.blue] and [slots.green]", slots.size()));
  const auto is_slot = [&](const std::string& name) { return std::ranges::find(slots, name, &slot::name) != slots.end(); };
  if (read.stable != "previous" && !is_slot(read.stable)) {
    std::vector<std::string> names{"previous"};
    for (const slot& s : slots) names.push_back(s.name);
    const std::string meant = settings::nearest(read.stable, names);
    from.report("stable", fmt::format("found \"{}\", expected \"previous\" or a slot's name{}", read.stable,
                                      meant.empty() ? "" : fmt::format(" (did you mean {}?)", meant)));
  }
  for (const slot& s : slots) {
    if (s.site.empty()) from.report_here(fmt::format("slots.{} has no site: expected the nginx file that makes it live", s.name));
  }
  if (slots.size() == 2 && !slots[0].site.empty() && slots[0].site == slots[1].site) {
    from.report_here(fmt::format("slots {} and {} have the same site \"{}\"", slots[0].name, slots[1].name, slots[0].site));
  }
  if (slots.size() == 2 && slots[0].url == slots[1].url) {
    from.report_here(fmt::format("slots {} and {} have the same url \"{}\"", slots[0].name, slots[1].name, slots[0].url));
  }
}

}  // namespace

void read_nginx(settings::section& root, nginx& into) {
  auto from = root.inner("nginx");
  if (!from) return;
  into.binary = from->text("binary", into.binary);
  into.conf = from->text("conf", into.conf);
  into.prefix = from->text("prefix", into.prefix);
  into.pid = from->text("pid", into.pid);
  into.error_log = from->text("error_log", into.error_log);
  into.reload = from->choice("reload", into.reload, {"signal", "command"});
  into.reload_command = from->texts("reload_command");
  if (into.reload == "command" && into.reload_command.empty()) {
    from->report_here(R"(reload = "command" needs reload_command, such as ["systemctl", "reload", "nginx"])");
  }
  if (into.reload != "command" && !into.reload_command.empty()) {
    from->report("reload_command", fmt::format("is not used with reload = \"{}\": expected reload = \"command\"", into.reload));
  }
  into.command_timeout = from->span("command_timeout", into.command_timeout, milliseconds(100), minutes(10));
  from->finish();
}

void read_slots(settings::section& root, std::vector<slot>& into) {
  for (auto& [name, from] : root.inners("slots")) into.push_back(read_slot(name, from));
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
  read.live_sites = from->texts("live_sites");
  if (const auto one = from->text("live_site")) {
    if (!read.live_sites.empty()) from->report("live_site", "stands beside live_sites: expected one of them");
    read.live_sites.push_back(*one);
  }
  if (read.live_sites.empty()) from->report_here(R"(has no live_site, expected one such as "/etc/nginx/sites-enabled/default")");
  read.front_door = read_front_door(*from);
  check(*from, read, into.slots);
  from->finish();
  into.deployment = std::move(read);
}

}  // namespace flipback::config
