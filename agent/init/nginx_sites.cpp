#include "agent/init/nginx_sites.hpp"

#include "agent/rollback/switches/text_pieces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <utility>

namespace flipback::init {

namespace {

constexpr std::string_view nowhere = "/";  // without a folder of its own, nginx's paths stay as they are

void add_to(server_block& server, const nginx::directive& d) {
  const std::string& name = d.words.front();
  const auto rest = [&] { return std::vector<std::string>(d.words.begin() + 1, d.words.end()); };
  if (name == "listen") server.listens.push_back(rest());
  if (name == "server_name") std::ranges::copy(rest(), std::back_inserter(server.names));
  if (name.ends_with("_pass") && name != "auth_request_pass") server.passes.push_back(d.words[1]);
  if (name == "access_log") server.logs.push_back(d.words[1]);
  if (name == "ssl" && d.words[1] == "on") server.tls = true;
}

void add(std::vector<std::string>& to, const std::vector<std::string>& all) {
  for (const std::string& each : all) {
    if (std::ranges::find(to, each) == to.end()) to.push_back(each);
  }
}

struct listening {
  std::string host;
  std::string port;
};

/// "80", "127.0.0.1:8080", "[::]:80", "*:80", "127.0.0.1".
std::optional<listening> listening_in(std::string_view word) {
  if (word.starts_with("unix:") || word.contains('$')) return std::nullopt;
  const bool is_port = std::ranges::all_of(word, [](unsigned char c) { return std::isdigit(c) != 0; });
  if (is_port) return listening{"127.0.0.1", std::string(word)};
  const std::size_t colon = word.rfind(':');
  const bool has_port = colon != std::string_view::npos && word.find(']', colon) == std::string_view::npos;
  std::string host(word.substr(0, has_port ? colon : word.size()));
  if (host == "*" || host == "0.0.0.0" || host.empty()) host = "127.0.0.1";
  if (host == "[::]") host = "[::1]";
  return listening{std::move(host), has_port ? std::string(word.substr(colon + 1)) : "80"};
}

}  // namespace

sites sites_in(const std::vector<nginx::directive>& all) {
  sites found;
  std::optional<std::size_t> inside;
  bool in_upstream = false;
  std::size_t upstream = 0;
  for (const nginx::directive& d : all) {
    if (inside && d.depth <= *inside) inside.reset();
    if (in_upstream && d.depth <= upstream) in_upstream = false;
    if (d.words.size() == 2 && d.words.front() == "upstream") {
      in_upstream = true;
      upstream = d.depth;
    }
    if (!inside && !in_upstream && d.words.size() == 1 && d.words.front() == "server") {
      found.servers.emplace_back();
      inside = d.depth;
    }
    if (d.words.size() < 2) continue;
    if (inside)
      add_to(found.servers.back(), d);
    else if (d.words.front() == "access_log")
      found.logs.push_back(d.words[1]);
  }
  return found;
}

std::vector<std::string> addresses_in(std::string_view text, const rollback::nginx_configuration& whole) {
  const rollback::nginx_configuration own = rollback::configuration_in(text, std::string(nowhere));
  std::vector<std::string> found;
  const auto add_group = [&](const std::string& name) {
    for (const auto* groups : {&own.upstreams, &whole.upstreams}) {
      const auto at = std::ranges::find(*groups, name, &upstream_group::name);
      if (at == groups->end()) continue;
      add(found, at->servers);
      return true;
    }
    return false;
  };
  for (const std::string& pass : own.passes) {
    if (!pass.contains('$') && !add_group(pass)) add(found, {pass});
  }
  if (own.passes.empty()) {
    for (const upstream_group& group : own.upstreams) add(found, group.servers);
  }
  return found;
}

std::vector<std::string> addresses_in_comments(std::string_view text) {
  constexpr std::string_view word = "server ";
  std::vector<std::string> found;
  for (const rollback::stretch& comment : rollback::comments_of(text)) {
    std::string_view says = text.substr(comment.from, comment.to - comment.from);
    const std::size_t end = says.find(';');
    std::size_t begin = says.find(word);
    if (begin == std::string_view::npos) begin = says.find("proxy_pass ");
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) continue;
    const bool is_server = says.substr(begin).starts_with(word);
    const std::string line(says.substr(begin, end + 1 - begin));
    const rollback::nginx_configuration read =
        rollback::configuration_in(is_server ? "upstream x { " + line + " }" : line, std::string(nowhere));
    if (!read.upstreams.empty()) add(found, read.upstreams.front().servers);
    add(found, read.passes);
  }
  return found;
}

std::optional<std::string> door_of(const server_block& server) {
  const std::vector<std::vector<std::string>> none_said{{"80"}};  // as nginx has it without a word
  for (const std::vector<std::string>& words : server.listens.empty() ? none_said : server.listens) {
    const auto at = listening_in(words.front());
    if (!at) continue;
    const bool tls = server.tls || std::ranges::find(words, "ssl") != words.end();
    const bool is_usual = at->port == (tls ? "443" : "80");
    return fmt::format("{}://{}{}/health", tls ? "https" : "http", at->host, is_usual ? "" : ":" + at->port);
  }
  return std::nullopt;
}

std::string host_of(const server_block& server) {
  const auto is_a_hosts = [](const std::string& name) {
    return !name.empty() && name != "_" && name != "localhost" && name.find_first_of("*~$\"") == std::string::npos &&
           !name.starts_with('.');
  };
  const auto at = std::ranges::find_if(server.names, is_a_hosts);
  return at == server.names.end() ? "" : *at;
}

}  // namespace flipback::init
