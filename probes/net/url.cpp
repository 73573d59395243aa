#include "probes/net/url.hpp"

#include "flipback/percent.hpp"

#include "probes/net/host.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sys/un.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <vector>

namespace flipback::net {

namespace {

template <typename T>
using parsed = std::expected<T, std::string>;

parsed<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
    return std::unexpected("has a port that is no number from 1 to 65535");  // it is not shown: it may be a password without its host
  }
  return port;
}

parsed<endpoint> parse_host(std::string_view text, std::uint16_t default_port) {
  endpoint to;
  std::string_view port;
  std::string_view::size_type colon = std::string_view::npos;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::unexpected("has a [ without its ]");
    to.host = text.substr(1, close - 1);
    if (close + 1 < text.size()) colon = close + 1;
    if (colon != std::string_view::npos && text[colon] != ':') return std::unexpected("has something other than a port after the ]");
  } else {
    colon = text.rfind(':');
    to.host = text.substr(0, colon);
    if (to.host.contains(':')) return std::unexpected("has an IPv6 address without [ ]");
  }
  if (to.host.empty()) return std::unexpected("has no host");
  if (const auto wrong = not_a_host(to.host)) return std::unexpected(fmt::format("has {} in the place of its host", *wrong));
  if (colon != std::string_view::npos) port = text.substr(colon + 1);
  if (colon != std::string_view::npos && port.empty()) return std::unexpected("has a : without a port");
  if (port.empty() && default_port == 0) return std::unexpected("has no port");
  to.port = default_port;
  if (!port.empty()) {
    const auto number = parse_port(port);
    if (!number) return std::unexpected(number.error());
    to.port = *number;
  }
  return to;
}

parsed<endpoint> parse_socket(std::string_view path) {
  if (!path.starts_with('/')) return std::unexpected("has no absolute path of a socket");
  constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > longest) return std::unexpected(fmt::format("has a socket's path of {} bytes: {} are possible", path.size(), longest));
  endpoint to;
  to.socket_path = path;
  return to;
}

parsed<void> parse_credentials(std::string_view text, url& into) {
  const std::size_t colon = text.find(':');
  auto user = percent_decoded(text.substr(0, colon));
  auto password = colon == std::string_view::npos ? std::string() : percent_decoded(text.substr(colon + 1));
  if (!user || !password) return std::unexpected("has a % in its user or password that two hexadecimal digits do not follow");
  into.user = std::move(*user);
  into.password = secret(std::move(*password));
  return {};
}

/// Whether a mark that ends the host stands in a password before it ("user:pa#ss@host"). What comes before the mark is no host and port
/// then, and must not be shown as such.
bool cuts_password(std::string_view rest, const scheme& of) {
  const std::size_t mark = rest.find_first_of("/?#");
  if (mark == std::string_view::npos || !rest.substr(mark).contains('@')) return false;
  const std::string_view before = rest.substr(0, mark);
  return (rest[mark] == '#' || !before.contains('@')) && (of.credentials || !parse_host(before, of.port));
}

/// "//" and all after it, for a scheme whose address is a host.
parsed<url> parse_hierarchy(std::string_view rest, const scheme& of) {
  constexpr const char* has_user =
      "has a user in it: expected credentials in keys of their own (user and password, or token), so that no message shows them";
  url made;
  made.tls = of.tls;
  if (cuts_password(rest, of))
    return std::unexpected(of.credentials ? "has a / ? or # in its user or password: write them as %2F, %3F and %23" : has_user);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t path = rest.find_first_of("/?");
  std::string_view authority = rest.substr(0, path);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (!of.credentials) return std::unexpected(has_user);
    if (auto read = parse_credentials(authority.substr(0, at), made); !read) return std::unexpected(std::move(read.error()));
    authority.remove_prefix(at + 1);
  }
  auto to = parse_host(authority, of.port);
  if (!to) return std::unexpected(std::move(to.error()));
  made.to = std::move(*to);
  if (path != std::string_view::npos)
    made.target = rest[path] == '?' ? fmt::format("/{}", rest.substr(path)) : std::string(rest.substr(path));
  return made;
}

/// A socket's path, and after a colon the target.
parsed<url> parse_socket_url(std::string_view rest) {
  url made;
  const std::size_t colon = rest.find(':');
  auto to = parse_socket(rest.substr(0, colon));
  if (!to) return std::unexpected(std::move(to.error()));
  made.to = std::move(*to);
  if (colon != std::string_view::npos && colon + 1 < rest.size()) made.target = rest.substr(colon + 1);
  if (!made.target.starts_with('/')) return std::unexpected("has a path that does not begin with /");
  return made;
}

}  // namespace

std::expected<url, std::string> parse_url(std::string_view text, std::span<const scheme> schemes) {
  if (std::ranges::any_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7f; })) {
    return std::unexpected("has a space or a control character in it");
  }
  const std::size_t colon = text.find("://");
  const auto of = std::ranges::find(schemes, text.substr(0, colon), &scheme::name);
  if (colon == std::string_view::npos || of == schemes.end()) {
    std::vector<std::string> all;
    for (const scheme& s : schemes) all.push_back(fmt::format("{}://", s.name));
    const std::string last = std::move(all.back());
    all.pop_back();
    return std::unexpected(fmt::format("does not begin with {}{}{}", fmt::join(all, ", "), all.empty() ? "" : " or ", last));
  }
  const std::string_view rest = text.substr(colon + 3);
  return of->port == 0 ? parse_socket_url(rest) : parse_hierarchy(rest, *of);
}

bool same_place(const url& one, const url& other) {
  const auto same_letter = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  return one.tls == other.tls && one.to.port == other.to.port && one.to.socket_path == other.to.socket_path &&
         std::ranges::equal(one.to.host, other.to.host, same_letter);
}

std::expected<endpoint, std::string> parse_endpoint(std::string_view text) {
  return text.starts_with("unix:") ? parse_socket(text.substr(5)) : parse_host(text, 0);
}

}  // namespace flipback::net
