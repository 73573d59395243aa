#pragma once

#include "flipback/event.hpp"
#include "flipback/probe.hpp"
#include "flipback/secret.hpp"
#include "flipback/settings.hpp"
#include "flipback/units.hpp"

#include "agent/config/environment.hpp"
#include "agent/config/mode.hpp"
#include "agent/notify/manners.hpp"
#include "probes/expectation.hpp"
#include "probes/identity.hpp"
#include "rules/rule.hpp"

#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// The configuration that a person writes (packaging/docs/configuration.md), read and checked whole. Plain values: nothing here does I/O.
namespace flipback::config {

/// How events are written: for people, or for programs as a JSON object or pairs of logfmt a line.
enum class log_format : std::uint8_t { text, json, logfmt };
std::string_view name_of(log_format f);

struct slot {
  std::string name;
  std::string url;                       ///< of the slot itself, without nginx: "http://127.0.0.1:8000"
  std::string site;                      ///< switch `site` with one live file: the nginx file that makes the slot live; else in `live_file`
  std::vector<std::string> text;         ///< switch `text`: what the live file says for this slot; one for one in each slot
  std::string target;                    ///< switch `link`: where the link leads for this slot, as it is to be written
  std::vector<std::string> switched_by;  ///< switch `command`: program and arguments, no shell
  std::string health = "/health";
  expectation expect;
  std::vector<std::string> upstreams;  ///< how nginx's log names it; default: host:port of `url`
  std::vector<std::string> checks;     ///< probes that it must pass before a flip to it

  friend bool operator==(const slot&, const slot&) = default;
};

struct front_door {
  std::string url;
  std::string host;  ///< Host header and TLS name; empty: the URL's
  std::string ca_file;
  std::optional<identity_source> identity;  ///< none: the answer does not tell slots apart
  std::optional<identity_source> release;   ///< what tells releases apart; none: what tells slots apart
  duration timeout = std::chrono::seconds(1);

  friend bool operator==(const front_door&, const front_door&) = default;
};

/// A file that nginx reads, and, with the switch `site`, the file of each slot that it is to be equal to, in the slots' order.
struct live_file {
  std::string live;
  std::vector<std::string> of_slots;

  friend bool operator==(const live_file&, const live_file&) = default;
};

struct deployment {
  config::mode mode = mode::observe;
  std::string stable = "previous";
  duration window = std::chrono::minutes(15);
  unsigned confirm = 3;  ///< healthy answers of the stable slot in a row, `confirm_every` apart
  duration confirm_every = std::chrono::seconds(1);
  unsigned prove = 3;  ///< fresh witnesses of the stable slot in a row
  duration prove_within = std::chrono::seconds(10);

  switch_kind switched_by = switch_kind::site;
  std::vector<live_file> live_files;                   ///< `site` and `text`
  bool in_place = false;                               ///< write = "in_place": where the live file is a mount point itself
  std::string live_link;                               ///< `link`
  std::vector<std::string> active;                     ///< `command`: prints the name of the slot that is live
  duration switch_timeout = std::chrono::seconds(60);  ///< `command`: past it can't be told what became of the switch
  duration settle_within = std::chrono::seconds(30);   ///< `command`: how long the proof may take after the command's end

  config::front_door front_door;
  duration watch_every = std::chrono::seconds(1);  ///< how often front door and slots are asked who they are
  std::string canary;                              ///< a slot whose answers are expected beside the live one's; empty: none
  /// intent = "effect": where no switch can be read from here. The switch is then a `command` without `active`, or, where the slots have no
  /// command either, nothing can be flipped and the mode is `observe`.
  bool effect_is_intent = false;

  friend bool operator==(const deployment&, const deployment&) = default;
};

struct nginx {
  std::string binary = "/usr/sbin/nginx";
  std::string conf = "/etc/nginx/nginx.conf";
  std::string prefix;  ///< empty: the binary's own
  std::string pid = "/run/nginx.pid";
  std::string error_log;  ///< empty: asked of `nginx -T`; where `[emerg]` would stand
  std::string helper;     ///< socket of the helper that tests, reloads and writes with root's rights; empty: the agent does so itself
  reload_kind reload = reload_kind::signal;
  std::string unit = "nginx.service";           ///< with `systemd`
  std::vector<std::string> reload_command;      ///< with `command`: program and arguments, no shell
  std::vector<std::string> test_command;        ///< instead of `binary -t`; empty: that
  std::vector<std::string> pid_command;         ///< prints the master's process number, instead of `pid`; empty: that
  std::string container;                        ///< with `docker`: nginx's, by its name; binary, conf and prefix are in it
  std::string docker = "/var/run/docker.sock";  ///< with `docker`: where its Engine's API is, a socket's path or "host:port"
  duration command_timeout = std::chrono::seconds(10);

  friend bool operator==(const nginx&, const nginx&) = default;
};

/// A slot by what it is to users now.
enum class slot_role : std::uint8_t { live, stable };

constexpr std::string_view name_of(slot_role r) {
  return r == slot_role::live ? "live" : "stable";
}

struct probe_entry {
  std::string name;
  std::string type;
  duration every = std::chrono::seconds(10);
  duration timeout = std::chrono::seconds(5);
  bool critical = false;
  bool shared = false;   ///< what it asks is the same for both slots: a database, not the API; told by `add_slot_twins`
  bool in_agent = true;  ///< else with --check only; its signals are there, and unknown
  std::vector<std::string> tags;
  std::string unread;                    ///< why a variable that it is made of can't be read; empty: all can
  settings::node table;                  ///< its own keys, for its maker; the common ones have been taken out
  std::vector<settings::node> at_slots;  ///< instead of `table`, of one that asks a slot past nginx: for each slot its keys
  slot_role asked = slot_role::live;     ///< with `at_slots`: which of them is asked
};

inline constexpr std::string_view usual_socket = "/run/flipback/flipback.sock";

struct agent {
  std::string listen = "127.0.0.1:19187";  ///< the page, the API, /healthz and /metrics; empty: none
  secret token;                            ///< what the API's clients who change something must know; empty: nobody may
  std::vector<std::string> hosts;          ///< names beside "localhost" by which browsers may reach the page and the API
  std::string state = "/var/lib/flipback/flipback.db";
  std::string socket;  ///< for the verbs that talk to the running agent; empty: the usual one, where its folder is there
  config::log_format log_format = config::log_format::text;
  severity log_level = severity::info;    ///< the least that is told
  std::vector<std::string> name_servers;  ///< "127.0.0.1:53"; empty: the machine's
  duration spread{};                      ///< over how much of its interval starts are spread; zero: all of it

  friend bool operator==(const agent&, const agent&) = default;
};

/// Where people are told: one of [targets].
struct target_entry {
  std::string name;
  std::string type;
  unsigned level = 1;              ///< 1: at once; 2 and 3: once nobody has acknowledged it for a while
  std::vector<std::string> about;  ///< "incidents", "alerts", "notices", "cutovers"; empty: all that mean something there
  severity least = severity::info;
  settings::node table;  ///< its own keys, for its maker; the common ones have been taken out
};

/// What the rules are told, kept for `flipback replay`.
struct record {
  std::string path;
  std::uint64_t max_size = std::uint64_t{256} << 20U;  ///< bytes, of both files
  duration max_age = std::chrono::days(7);

  friend bool operator==(const record&, const record&) = default;
};

struct configuration {
  std::string file;  ///< empty: none, defaults from the environment
  config::agent agent;
  std::optional<config::record> record;
  std::optional<config::deployment> deployment;
  config::nginx nginx;
  notify::manners notify;
  std::vector<target_entry> targets;      ///< in the file's order
  std::vector<slot> slots;                ///< in the file's order
  std::vector<probe_entry> probes;        ///< in the file's order
  std::vector<rules::rule_source> rules;  ///< the person's own, in the file's order; a built-in of the same name is replaced
  std::vector<std::string> notes;         ///< what was left out and why, to be said at the start; no errors
};

/// The slots as a probe may know them.
inline std::vector<slot_upstreams> upstreams_of(const configuration& from) {
  std::vector<slot_upstreams> all;
  for (const slot& s : from.slots) all.push_back({s.name, s.upstreams});
  return all;
}

/// Where the variables come from.
struct sources {
  environment process;                ///< wins over files
  std::vector<env_file> env_files{};  ///< of the command line: they win over those that the configuration names
};

/// Reads `file`, or, where it is empty, makes the configuration that the runbook's variables alone say. Every problem goes into `into`;
/// the result is only good where that stays clean. Reads env files and `*_file` secrets from disk.
configuration load(const std::filesystem::path& file, const sources& from, settings::diagnostics& into);
/// What a replay of somebody else's metrics needs of a file: its probes, slots, [deployment] and [[rules]], which may roll back without a
/// [deployment]. The rest is passed over.
configuration load_for_replay(const std::filesystem::path& file, const sources& from, settings::diagnostics& into);
/// The [[rules]] of a file alone, whatever else it holds.
std::vector<rules::rule_source> load_rules(const std::filesystem::path& file, const sources& from, settings::diagnostics& into);

}  // namespace flipback::config
