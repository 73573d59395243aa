#include "agent/init/deployment.hpp"

#include "agent/config/configuration.hpp"
#include "agent/init/find_switch.hpp"
#include "agent/init/nginx_sites.hpp"
#include "agent/init/toml_text.hpp"
#include "agent/init/traffic.hpp"
#include "probes/nginx/dump.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::init {

namespace {

constexpr std::string_view of_the_mode =
    "mode = \"observe\" says what would be done, and does nothing. Once flipback validate says \"rollback: ready\", and a cutover of "
    "yours was noticed (flipback status), write \"act\" and let the agent read the file again (SIGHUP, systemctl reload flipback).";

constexpr std::string_view by_hand = R"([deployment]
mode = "observe"
live_site = "/etc/nginx/sites-enabled/default"
front_door = { url = "http://127.0.0.1/health", host = "api.example.com", identity = "/version" }

[slots.blue]
url = "http://127.0.0.1:8000"
site = "/etc/nginx/sites-available/blue"

[slots.green]
url = "http://127.0.0.1:8001"
site = "/etc/nginx/sites-available/green"
)";

void add_nginx(const nginx_seen& nginx, const rollback::nginx_configuration& read, draft& to) {
  const config::nginx usual;
  std::string toml;
  const auto add = [&](std::string_view key, const std::string& is, const std::string& usually) {
    if (!is.empty() && is != usually) toml += fmt::format("{} = {}\n", key, in_toml(is));
  };
  add("binary", nginx.binary, usual.binary);
  add("conf", read.files.empty() ? "" : read.files.front(), usual.conf);
  add("pid", read.pid, usual.pid);
  if (!toml.empty()) to.passages.push_back({"nginx, where it is elsewhere than Debian has it (nginx -T).", "[nginx]\n" + toml, ""});
}

bool leads_to(const server_block& server, const switch_seen& to, const rollback::nginx_configuration& read) {
  return std::ranges::any_of(server.passes, [&](const std::string& pass) {
    if (pass.contains('$')) return true;
    const auto found = addresses_in("proxy_pass " + pass + ";", read);
    return std::ranges::any_of(found, [&](const std::string& address) {
      return std::ranges::any_of(to.slots,
                                 [&](const slot_seen& s) { return std::ranges::find(s.addresses, address) != s.addresses.end(); });
    });
  });
}

/// The servers by which users may come in, each door once: those that lead to a slot, and can be asked.
std::vector<const server_block*> doors_among(const sites& all, const switch_seen& to, const rollback::nginx_configuration& read) {
  std::vector<const server_block*> found;
  for (const server_block& s : all.servers) {
    const auto is_it = [&](const server_block* known) { return door_of(*known) == door_of(s) && host_of(*known) == host_of(s); };
    if (door_of(s) && leads_to(s, to, read) && std::ranges::none_of(found, is_it)) found.push_back(&s);
  }
  return found;
}

/// "A, B and 2 more".
std::string first_of(std::span<const std::string> all, std::string_view between) {
  constexpr std::size_t most = 5;
  const std::size_t shown = std::min(all.size(), most);
  const std::string more = all.size() > shown ? fmt::format("{}and {} more", between, all.size() - shown) : "";
  return fmt::format("{}{}", fmt::join(all.first(shown), between), more);
}

std::string says_of_left(const switch_seen& found) {
  return fmt::format(
      "Another pair of slots was left, since a configuration has one: {} If that one is meant, write it in the place of this; if both are, "
      "each has a configuration and an agent of its own.",
      first_of(found.left, " "));
}

std::string called(const server_block* door) {
  const std::string host = host_of(*door);
  return host.empty() ? *door_of(*door) : fmt::format("{} with host {}", *door_of(*door), host);
}

/// Said where several servers lead to the slots; the first is taken.
std::string says_of_doors(const std::vector<const server_block*>& doors) {
  std::vector<std::string> others;
  for (const server_block* door : std::span(doors).subspan(1)) others.push_back(called(door));
  return fmt::format("which server is the front door: several lead to the slots; {} is taken, {} is left", called(doors.front()),
                     first_of(others, ", "));
}

std::string url_of(const std::string& address) {
  return address.starts_with("unix:") ? "http+unix://" + address.substr(5) : "http://" + address;
}

/// [slots.NAME]. Several servers are one slot's upstreams.
std::string table_of(const slot_seen& slot, const switch_seen& of) {
  std::string toml = fmt::format("[slots.{}]\nurl = {}\n", slot.name, in_toml(url_of(slot.addresses.front())));
  if (of.kind == config::switch_kind::site && of.live.size() == 1) toml += fmt::format("site = {}\n", in_toml(slot.sites.front()));
  if (of.kind == config::switch_kind::text) toml += fmt::format("text = {}\n", in_toml(slot.text));
  if (of.kind == config::switch_kind::link) toml += fmt::format("target = {}\n", in_toml(slot.target));
  if (slot.addresses.size() == 1) return toml;
  std::vector<std::string> all;
  for (const std::string& address : slot.addresses) all.push_back(in_toml(address));
  return toml + fmt::format("upstreams = [{}]\n", fmt::join(all, ", "));
}

std::string live_of(const switch_seen& of) {
  if (of.kind == config::switch_kind::link) return fmt::format("live_link = {}\n", in_toml(of.live.front()));
  if (of.live.size() == 1) return fmt::format("live_site = {}\n", in_toml(of.live.front()));
  std::string toml = "live_sites = [\n";
  for (std::size_t i = 0; i < of.live.size(); ++i) {
    toml += fmt::format("  {{ live = {}, {} = {}, {} = {} }},\n", in_toml(of.live[i]), of.slots[0].name, in_toml(of.slots[0].sites[i]),
                        of.slots[1].name, in_toml(of.slots[1].sites[i]));
  }
  return toml + "]\n";
}

void add_slots(const switch_seen& found, const server_block& door, draft& to) {
  const std::string host = host_of(door);
  passage made;
  made.says = found.says + "\n" + std::string(of_the_mode) + "\n";
  if (!found.doubt.empty()) made.says += found.doubt + "\n";
  if (!found.left.empty()) made.says += says_of_left(found) + "\n";
  made.says +=
      "front_door: where users come in (nginx -T); its path /health is the runbook's. identity = \"/version\" beside it would say where "
      "its answers tell which slot they come from, and can't be told from here: without it nginx's access log tells, or its new workers.";
  if (host.empty()) {
    made.says += "\nThe server has no name that could be asked for: write host = \"api.example.com\" beside the url if it needs one.";
    to.untold.emplace_back("which Host the front door is to be asked for: its server has no name");
  }
  made.toml = "[deployment]\nmode = \"observe\"\n" + live_of(found);
  made.toml += fmt::format("front_door = {{ url = {}{} }}\n", in_toml(*door_of(door)), host.empty() ? "" : ", host = " + in_toml(host));
  for (const slot_seen& slot : found.slots) made.toml += "\n" + table_of(slot, found);
  to.passages.push_back(std::move(made));
  if (!found.doubt.empty()) to.untold.push_back(found.doubt);
  to.untold.emplace_back("what the front door's answers say of their slot (front_door identity), and which path is its health");
}

/// Whoever listens there is not known, and is not to be displaced.
bool goes_to_syslog(const access_log_directive& log, const sites& all) {
  const auto is_it = [&](const std::string& word) { return word.starts_with("syslog:") && word.contains("unix:" + log.path); };
  return std::ranges::any_of(all.logs, is_it) ||
         std::ranges::any_of(all.servers, [&](const server_block& s) { return std::ranges::any_of(s.logs, is_it); });
}

}  // namespace

void add_deployment_by_hand(const std::string& why, draft& to) {
  to.untold.push_back("the slots: " + why);
  to.passages.push_back(
      {"The deployment: which slots there are, and how this host goes from one to the other.\n" + std::string(of_the_mode),
       std::string(by_hand), why});
}

void add_deployment(const nginx_seen& nginx, draft& to) {
  rollback::nginx_configuration read = rollback::configuration_in(nginx.dump, "/");
  const sites all = sites_in(nginx::parse_dump(nginx.dump));
  add_nginx(nginx, read, to);
  const auto found = find_switch(nginx, read);
  const std::vector<const server_block*> doors = found ? doors_among(all, *found, read) : std::vector<const server_block*>{};
  const server_block* const door = doors.empty() ? nullptr : doors.front();
  if (!found)
    add_deployment_by_hand(found.error(), to);
  else if (door == nullptr)
    add_deployment_by_hand(found->says + " But no server that passes requests on to a slot listens on a TCP port.", to);
  else
    add_slots(*found, *door, to);
  if (doors.size() > 1) to.untold.push_back(says_of_doors(doors));
  if (found && !found->left.empty()) to.untold.push_back(fmt::format("which slots are meant: {} {}", found->says, says_of_left(*found)));
  std::erase_if(read.access_logs, [&](const access_log_directive& log) { return goes_to_syslog(log, all); });
  add_traffic(read, door != nullptr && !door->logs.empty() ? door->logs : all.logs, to);
}

}  // namespace flipback::init
