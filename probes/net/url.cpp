#include "probes/net/http_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace flipback::net {

namespace {

std::expected<std::uint16_t, std::string> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
    return std::unexpected(fmt::format("has the port \"{}\", which is not a number from 1 to 65535", text));
  }
  return port;
}

std::expected<endpoint, std::string> parse_authority(std::string_view authority, std::uint16_t default_port) {
  endpoint to;
  to.port = default_port;
  if (authority.contains('@')) return std::unexpected("has a user in it: give credentials as headers, so that no message shows them");
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return std::unexpected("has a [ without its ]");
    to.host = authority.substr(1, close - 1);
    const std::string_view rest = authority.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::unexpected("has something other than a port after the ]");
    port = rest.empty() ? rest : rest.substr(1);
  } else {
    const std::size_t colon = authority.rfind(':');
    to.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
    if (to.host.contains(':')) return std::unexpected("has an IPv6 address without [ ]");
    if (colon != std::string_view::npos && port.empty()) return std::unexpected("has a : without a port");
  }
  if (to.host.empty()) return std::unexpected("has no host");
  if (!port.empty()) {
    const auto parsed = parse_port(port);
    if (!parsed) return std::unexpected(parsed.error());
    to.port = *parsed;
  }
  return to;
}

}  // namespace

std::expected<url, std::string> parse_url(std::string_view text) {
  if (std::ranges::any_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7f; })) {
    return std::unexpected("has a space or a control character in it");
  }
  url parsed;
  std::string_view rest;
  if (text.starts_with("http://")) {
    rest = text.substr(7);
  } else if (text.starts_with("https://")) {
    parsed.tls = true;
    rest = text.substr(8);
  } else if (text.starts_with("http+unix://")) {
    rest = text.substr(12);
    const std::size_t colon = rest.find(':');
    parsed.to.socket_path = rest.substr(0, colon);
    if (!parsed.to.socket_path.starts_with('/')) return std::unexpected("has no absolute path of a socket");
    if (colon != std::string_view::npos && colon + 1 < rest.size()) parsed.target = rest.substr(colon + 1);
    if (!parsed.target.starts_with('/')) return std::unexpected("has a path that does not begin with /");
    return parsed;
  } else {
    return std::unexpected("does not begin with http://, https:// or http+unix://");
  }
  rest = rest.substr(0, rest.find('#'));
  const std::size_t path = rest.find_first_of("/?");
  auto to = parse_authority(rest.substr(0, path), parsed.tls ? 443 : 80);
  if (!to) return std::unexpected(std::move(to.error()));
  parsed.to = std::move(*to);
  if (path != std::string_view::npos)
    parsed.target = rest[path] == '?' ? fmt::format("/{}", rest.substr(path)) : std::string(rest.substr(path));
  return parsed;
}

}  // namespace flipback::net
