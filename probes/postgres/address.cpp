#include "probes/postgres/address.hpp"

#include "flipback/percent.hpp"

#include "probes/net/host.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>

namespace flipback::postgres {

namespace {

template <typename T>
using parsed = std::expected<T, std::string>;

constexpr std::array taken_as_they_are{"target_session_attrs", "sslrootcert", "sslcert", "sslkey", "sslsni", "channel_binding", "options"};
constexpr std::array ways_of_tls{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
constexpr std::array ways_to_choose{"any", "read-write", "read-only", "primary", "standby", "prefer-standby"};

bool is_scheme(std::string_view name) {
  const std::string_view driverless = name.substr(0, name.find('+'));
  return driverless == "postgresql" || driverless == "postgres" || driverless == "postgis";
}

parsed<std::string> decoded(std::string_view text, std::string_view what) {
  auto made = percent_decoded(text);
  if (!made) return std::unexpected(fmt::format("has a % in its {} that two hexadecimal digits do not follow", what));
  return std::move(*made);
}

bool is_port(std::string_view text) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && number != 0;
}

parsed<server> parse_server(std::string_view text) {
  server made;
  std::size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::unexpected("has a [ without its ]");
    made.host = text.substr(1, close - 1);
    colon = close + 1 == text.size() ? std::string_view::npos : close + 1;
    if (colon != std::string_view::npos && text[colon] != ':') return std::unexpected("has something other than a port after the ]");
  } else {
    auto host = decoded(text.substr(0, colon), "host");
    if (!host) return std::unexpected(std::move(host.error()));
    made.host = std::move(*host);
    if (made.host.contains(':')) return std::unexpected("has an IPv6 address without [ ]");
  }
  if (colon == std::string_view::npos) return made;
  made.port = text.substr(colon + 1);
  if (!is_port(made.port)) return std::unexpected("has a port that is no number from 1 to 65535");
  return made;
}

parsed<void> parse_servers(std::string_view text, address& into) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    auto one = parse_server(text.substr(at, comma - at));
    if (!one) return std::unexpected(std::move(one.error()));
    into.servers.push_back(std::move(*one));
    at = comma + 1;
  }
  return {};
}

parsed<void> parse_credentials(std::string_view text, address& into) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  auto user = decoded(text.substr(0, colon), "user");
  if (!user) return std::unexpected(std::move(user.error()));
  auto password = decoded(text.substr(std::min(colon + 1, text.size())), "password");
  if (!password) return std::unexpected(std::move(password.error()));
  into.user = std::move(*user);
  into.password = secret(std::move(*password));
  return {};
}

parsed<std::string> one_of(std::string_view name, std::string value, std::span<const char* const> words) {
  if (std::ranges::find(words, value) != words.end()) return value;
  return std::unexpected(fmt::format("has a {} that is none of {}", name, fmt::join(words, ", ")));
}

/// "ssl" is asyncpg's name for sslmode.
parsed<void> take_parameter(const std::string& name, std::string value, address& into) {
  parsed<std::string> checked = value;
  if (name == "sslmode" || name == "ssl") {
    checked = one_of(name, name == "ssl" && value == "true" ? "require" : std::move(value), ways_of_tls);
    if (checked) into.parameters["sslmode"] = *checked;
  } else if (name == "target_session_attrs") {
    checked = one_of(name, std::move(value), ways_to_choose);
    if (checked) into.parameters[name] = *checked;
  } else if (name == "host") {
    into.servers.clear();
    for (std::size_t at = 0; at <= value.size(); at = value.find(',', at) == std::string::npos ? value.size() + 1 : value.find(',', at) + 1)
      into.servers.push_back({value.substr(at, value.find(',', at) - at)});
  } else if (name == "port") {
    if (!is_port(value)) return std::unexpected("has a port that is no number from 1 to 65535");
    into.parameters[name] = std::move(value);
  } else if (name == "user") {
    into.user = std::move(value);
  } else if (name == "password") {
    into.password = secret(std::move(value));
  } else if (name == "dbname") {
    into.database = std::move(value);
  } else if (std::ranges::find(taken_as_they_are, name) != taken_as_they_are.end()) {
    into.parameters[name] = std::move(value);
  } else if (name.starts_with("ssl")) {
    return std::unexpected(
        fmt::format("has a parameter about TLS that is not known here; known are sslmode, ssl, sslrootcert, sslcert, "
                    "sslkey and sslsni"));
  }
  if (!checked) return std::unexpected(std::move(checked.error()));
  return {};
}

parsed<void> parse_parameters(std::string_view text, address& into) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('&', at), text.size());
    const std::string_view one = text.substr(at, end - at);
    const std::size_t equals = std::min(one.find('='), one.size());
    auto name = decoded(one.substr(0, equals), "parameters");
    auto value = decoded(one.substr(std::min(equals + 1, one.size())), "parameters");
    if (!name || !value) return std::unexpected(std::move(name ? value.error() : name.error()));
    if (auto taken = take_parameter(*name, std::move(*value), into); !taken) return taken;
    at = end + 1;
  }
  return {};
}

}  // namespace

std::expected<address, std::string> parse_address(std::string_view text) {
  if (std::ranges::any_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    return std::unexpected("has a space or a control character in it");
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || !is_scheme(text.substr(0, scheme)))
    return std::unexpected("does not begin with postgresql://, postgres:// or postgresql+DRIVER://");
  const std::string_view rest = text.substr(scheme + 3);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, end);
  address made;
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (auto read = parse_credentials(authority.substr(0, at), made); !read) return std::unexpected(std::move(read.error()));
    authority.remove_prefix(at + 1);
  } else if (rest.contains('@')) {
    return std::unexpected("has a / ? or # in its user or password: write them as %2F, %3F and %23");
  }
  if (auto read = parse_servers(authority, made); !read) return std::unexpected(std::move(read.error()));
  const std::size_t question = std::min(rest.find('?', end), rest.size());
  if (end < question) {
    auto database = decoded(rest.substr(end + 1, question - end - 1), "database");
    if (!database) return std::unexpected(std::move(database.error()));
    made.database = std::move(*database);
  }
  if (auto read = parse_parameters(rest.substr(std::min(question + 1, rest.size())), made); !read)
    return std::unexpected(std::move(read.error()));
  if (const auto port = made.parameters.find("port"); port != made.parameters.end()) {
    for (server& one : made.servers) one.port = port->second;
    made.parameters.erase(port);
  }
  for (const server& one : made.servers) {
    const auto wrong = one.host.starts_with('/') ? std::nullopt : net::not_a_host(one.host);
    if (wrong) return std::unexpected(fmt::format("has {} in the place of a host", *wrong));
  }
  const bool nameless = std::ranges::any_of(made.servers, [](const server& s) { return s.host.empty(); });
  if (nameless) return std::unexpected("has no host");
  return made;
}

}  // namespace flipback::postgres
