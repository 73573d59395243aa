#include "agent/rollback/nginx_configuration.hpp"

#include "probes/nginx/directives.hpp"

#include <filesystem>
#include <map>

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

access_log_directive log_of(const nginx::directive& d, const std::map<std::string, std::string>& formats, const std::string& prefix) {
  access_log_directive made;
  const std::string socket = socket_in(d.words[1]);
  made.path = (std::filesystem::path(prefix) / (socket.empty() ? d.words[1] : socket)).lexically_normal().string();
  std::string format = "combined";
  for (std::size_t i = 2; i < d.words.size(); ++i) {
    const std::string& word = d.words[i];
    if (word.starts_with("if="))
      made.conditional = true;
    else if (word.starts_with("buffer=") || word.starts_with("gzip"))
      made.buffered = true;
    else if (i == 2 && !word.starts_with("flush="))
      format = word;
  }
  if (const auto found = formats.find(format); found != formats.end()) made.format = found->second;
  return made;
}

}  // namespace

nginx_configuration configuration_in(std::string_view text, const std::string& prefix) {
  const std::vector<nginx::directive> all = nginx::parse_directives(text);
  std::map<std::string, std::string> formats{{"combined", std::string(nginx::combined)}};
  for (const nginx::directive& d : all) {
    if (const auto format = nginx::log_format_in(d)) formats[format->name] = format->text;
  }
  nginx_configuration found;
  for (const nginx::directive& d : all) {
    if (d.words.size() < 2) continue;
    const bool to_file = names_file(d.words[1]);
    if (to_file && d.words.front() == "error_log" && d.depth == 0 && found.error_log.empty())
      found.error_log = (std::filesystem::path(prefix) / d.words[1]).lexically_normal().string();
    if (d.words.front() == "access_log" && (to_file || !socket_in(d.words[1]).empty()))
      found.access_logs.push_back(log_of(d, formats, prefix));
  }
  return found;
}

}  // namespace flipback::rollback
