#include "agent/rollback/nginx_configuration.hpp"

#include "probes/nginx/dump.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <ranges>

namespace flipback::rollback {

namespace {

bool names_file(const std::string& path) {
  return path != "off" && path != "stderr" && !path.starts_with("syslog:") && !path.starts_with("memory:") && !path.contains('$');
}

/// The socket of `syslog:server=unix:/path,tag=…`; empty where the log goes elsewhere.
std::string socket_in(std::string_view target) {
  constexpr std::string_view to_socket = "server=unix:";
  if (!target.starts_with("syslog:")) return {};
  const std::size_t at = target.find(to_socket);
  if (at == std::string_view::npos) return {};
  const std::string_view path = target.substr(at + to_socket.size());
  return std::string(path.substr(0, path.find(',')));
}

/// "1s", "500ms", "5": what a buffer holds is written so often.
bool is_soon(std::string_view every) {
  constexpr int longest = 5;  // seconds: half of what makes a log late
  int number = 0;
  const auto [end, error] = std::from_chars(every.data(), every.data() + every.size(), number);
  const std::string_view in(end, static_cast<std::size_t>(every.data() + every.size() - end));
  return error == std::errc{} && (in == "ms" ? number <= longest * 1000 : (in.empty() || in == "s") && number <= longest);
}

/// Whether `access_log off` stands outside of every location, where it is of all that a server answers.
bool switches_logs_off(const std::vector<nginx::directive>& all) {
  std::vector<std::string_view> around;
  for (const nginx::directive& d : all) {
    around.resize(std::min(around.size(), d.depth));
    const bool in_part = std::ranges::any_of(around, [](std::string_view block) { return block == "location" || block == "if"; });
    if (d.words.size() > 1 && d.words[0] == "access_log" && d.words[1] == "off" && !in_part) return true;
    around.resize(d.depth);
    around.emplace_back(d.words.front());
  }
  return false;
}

using known_formats = std::map<std::string, nginx::log_format>;

void add_log(const nginx::directive& d, const known_formats& formats, const std::string& prefix, nginx_configuration& to) {
  access_log_directive made;
  const std::string socket = socket_in(d.words[1]);
  made.path = (std::filesystem::path(prefix) / (socket.empty() ? d.words[1] : socket)).lexically_normal().string();
  std::string format = "combined";
  bool flushed = false;
  for (std::size_t i = 2; i < d.words.size(); ++i) {
    const std::string& word = d.words[i];
    if (word.starts_with("if="))
      made.conditional = true;
    else if (word.starts_with("buffer=") || word.starts_with("gzip"))
      made.buffered = true;
    else if (word.starts_with("flush="))
      flushed = is_soon(std::string_view(word).substr(6));
    else if (i == 2)
      format = word;
  }
  made.buffered = made.buffered && !flushed;
  if (const auto known = formats.find(format); known != formats.end()) {
    made.format = known->second.text;
    made.forgeable = known->second.escape == "none";
  }
  to.access_logs.push_back(std::move(made));
}

/// The upstream blocks: what follows a block's head and is deeper stands in it.
std::vector<upstream_group> groups_in(const std::vector<nginx::directive>& all) {
  std::vector<upstream_group> found;
  std::optional<std::size_t> inside;
  for (const nginx::directive& d : all) {
    if (inside && d.depth <= *inside) inside.reset();
    if (inside && d.words.size() > 1 && d.words.front() == "server") found.back().servers.push_back(d.words[1]);
    if (!inside && d.words.size() == 2 && d.words.front() == "upstream") {
      found.push_back({.name = d.words[1], .servers = {}});
      inside = d.depth;
    }
  }
  return found;
}

/// "http://127.0.0.1:8000/api/" without scheme and path; of "http://unix:/run/api.sock:/api/" the socket.
std::string place_in(std::string_view target) {
  if (const std::size_t scheme = target.find("://"); scheme != std::string_view::npos) target.remove_prefix(scheme + 3);
  if (target.starts_with("unix:")) return std::string(target.substr(0, target.find(':', 5)));
  return std::string(target.substr(0, target.find('/')));
}

bool is_any_of(std::string_view word, std::initializer_list<std::string_view> of) {
  return std::ranges::find(of, word) != of.end();
}

bool is_pass(std::string_view name) {
  return is_any_of(name, {"proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass"});
}

/// What an `include` names is below the folder of the main file.
std::string folder_of(const std::string& pattern, const std::vector<std::string>& files, const std::string& prefix) {
  const std::filesystem::path below = files.empty() ? std::filesystem::path(prefix) : std::filesystem::path(files.front()).parent_path();
  return (below / pattern).lexically_normal().parent_path().string();
}

}  // namespace

nginx_configuration configuration_in(std::string_view text, const std::string& prefix) {
  const std::vector<nginx::directive> all = nginx::parse_dump(text);
  const auto below_prefix = [&](const std::string& path) { return (std::filesystem::path(prefix) / path).lexically_normal().string(); };
  known_formats formats{{"combined", {"combined", std::string(nginx::combined), "default"}}};
  for (const nginx::directive& d : all) {
    if (auto format = nginx::log_format_in(d)) formats[format->name] = std::move(*format);
  }
  nginx_configuration found;
  found.upstreams = groups_in(all);
  for (nginx::dumped_file& file : nginx::files_in(text)) found.files.push_back(std::move(file.path));
  found.logs_nothing = switches_logs_off(all);
  for (const nginx::directive& d : all) {
    if (d.words.size() < 2) continue;
    const std::string& name = d.words.front();
    const std::string& first = d.words[1];
    const bool to_file = names_file(first);
    if (to_file && name == "error_log" && d.depth == 0 && found.error_log.empty()) found.error_log = below_prefix(first);
    if (name == "access_log" && (to_file || !socket_in(first).empty())) add_log(d, formats, prefix, found);
    if (name == "pid" && d.depth == 0) found.pid = below_prefix(first);
    if (name == "include" && first.contains('*')) found.include_folders.push_back(folder_of(first, found.files, prefix));
    if (name == "split_clients") found.splits_clients = true;
    if (is_pass(name)) found.passes.push_back(place_in(first));
  }
  return found;
}

std::vector<upstream_group> groups_of(const nginx_configuration& nginx) {
  std::vector<upstream_group> all = nginx.upstreams;
  for (const std::string& pass : nginx.passes) {
    if (pass.starts_with("unix:") || pass.starts_with('[') || pass.contains('$')) continue;
    const std::string name = pass.substr(0, pass.rfind(':'));
    in_addr address{};
    if (::inet_pton(AF_INET, name.c_str(), &address) == 1) continue;
    const auto known = std::ranges::find(all, name, &upstream_group::name);
    if (known == all.end())
      all.push_back({.name = name, .servers = {pass}, .is_block = false});
    else if (!known->is_block && std::ranges::find(known->servers, pass) == known->servers.end())
      known->servers.push_back(pass);
  }
  return all;
}

}  // namespace flipback::rollback
