#include "agent/config/read_agent.hpp"

#include "flipback/shown_item.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <sys/un.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace flipback::config {

namespace {

bool is_port(std::string_view text, unsigned low) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port >= low && port <= 65535;
}

/// "127.0.0.1:53" or "[::1]:53": an address, not a name, since there is nobody to ask yet.
bool is_address_and_port(std::string_view text, unsigned lowest_port) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1), lowest_port)) return false;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  return !error && address.is_v6() == bracketed;
}

/// As a browser names it in its Host header, without a port.
bool is_host(std::string_view text) {
  const auto is_part = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_'; };
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, is_part);
}

/// Which secret the API's clients must know. It is guessed at from where it is asked for, so it must be long; it goes into a header.
void read_token(settings::section& from, agent& into) {
  constexpr std::size_t shortest = 16;
  auto token = from.hidden("token");
  if (!token) return;
  const std::string_view key = from.has("token") ? "token" : "token_file";
  const auto is_plain = [](unsigned char c) { return c > ' ' && c < 0x7f; };
  if (token->reveal().size() < shortest)
    from.report(key,
                fmt::format("found {} bytes, expected at least {}: `openssl rand -hex 32` makes one", token->reveal().size(), shortest));
  else if (!std::ranges::all_of(token->reveal(), is_plain))
    from.report(key, "found a blank or a byte that is no ASCII, expected letters, digits and signs: `openssl rand -hex 32` makes one");
  into.token = *std::move(token);
}

void read_hosts(settings::section& from, agent& into) {
  into.hosts = from.texts("hosts");
  for (std::size_t i = 0; i < into.hosts.size(); ++i) {
    if (is_host(into.hosts[i])) continue;
    from.report("hosts", fmt::format("found {}, expected a host's name alone, such as \"flipback.example.com\"",
                                     settings::shown_item(from, "hosts", i)));
  }
}

}  // namespace

std::string_view name_of(log_format f) {
  constexpr std::array<std::string_view, 3> names{"text", "json", "logfmt"};
  return names.at(static_cast<std::size_t>(f));
}

void read_agent(settings::section& root, agent& into) {
  auto from = root.inner("agent");
  if (!from) return;
  into.listen = from->text("listen", into.listen);
  if (!into.listen.empty() && !is_address_and_port(into.listen, 0)) {
    from->report("listen",
                 fmt::format("found {}, expected an address and a port such as \"127.0.0.1:19187\" or \"[::1]:19187\", or \"\" for none",
                             from->shown("listen")));
  }
  read_token(*from, into);
  read_hosts(*from, into);
  if (from->has("state")) into.state = from->required_text("state", into.state);
  if (from->has("socket")) into.socket = from->required_text("socket", std::string(usual_socket));
  constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;
  if (into.socket.size() > longest_path)
    from->report("socket",
                 fmt::format("found {}, of {} bytes; expected at most {}", from->shown("socket"), into.socket.size(), longest_path));
  into.log_format = from->one_of("log_format", into.log_format, {log_format::text, log_format::json, log_format::logfmt});
  into.log_level = from->one_of("log_level", into.log_level, {severity::debug, severity::info, severity::warning, severity::critical});
  into.name_servers = from->texts("name_servers");
  for (std::size_t i = 0; i < into.name_servers.size(); ++i) {
    const std::string& server = into.name_servers[i];
    boost::system::error_code error;
    asio::ip::make_address(server, error);
    if (!error || is_address_and_port(server, 1)) continue;
    from->report("name_servers", fmt::format("found {}, expected an address such as \"127.0.0.1\" or \"127.0.0.1:53\"",
                                             settings::shown_item(*from, "name_servers", i)));
  }
  into.spread = from->span("spread", into.spread, duration{}, std::chrono::hours(1));
  from->finish();
}

void read_record(settings::section& root, std::optional<record>& into) {
  if (!root.has("record")) return;
  auto from = root.inner("record");
  if (!from) return;
  record read;
  read.path = from->required_text("path", "/var/lib/flipback/record");
  read.max_size = from->size("max_size", read.max_size, std::uint64_t{1} << 20U, std::uint64_t{1} << 40U);
  read.max_age = from->span("max_age", read.max_age, std::chrono::hours(1), std::chrono::days(365));
  from->finish();
  into = std::move(read);
}

}  // namespace flipback::config
