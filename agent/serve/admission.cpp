#include "agent/serve/admission.hpp"

#include "flipback/quoted.hpp"

#include "agent/serve/problem.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <string>

namespace flipback::serve {

namespace asio = boost::asio;

namespace {

constexpr std::string_view how_to_set_a_token =
    "write token_file = \"PATH\" under [agent], to a file made by `openssl rand -hex 32`, and reload the agent";

std::string in_small(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return made;
}

std::string header(const request& asked, std::string_view name) {
  return std::string(asked.header(name).value_or(""));
}

asio::ip::address plain(const asio::ip::address& of) {
  if (of.is_v6() && of.to_v6().is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, of.to_v6());
  return of;
}

/// The host of "host:port" and "[address]:port".
std::string without_port(const std::string& authority) {
  const std::size_t colon = authority.rfind(':');
  const bool has_port = colon != std::string::npos && authority.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  return has_port ? authority.substr(0, colon) : authority;
}

/// An address as a Host may name it: one that is reached by it can't be led here by a name server.
bool is_address_reached(std::string_view host, const asio::ip::address& reached) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.contains('\0')) return false;  // up to which alone it would be read
  boost::system::error_code error;
  const auto named = asio::ip::make_address(host, error);
  return !error && plain(named) == plain(reached);
}

bool is_our_name(const request& asked, const config::agent& by) {
  const std::string host = in_small(without_port(header(asked, "Host")));
  if (host == "localhost" || host == "127.0.0.1" || host == "[::1]") return true;
  const bool is_configured = std::ranges::any_of(by.hosts, [&](const std::string& h) { return in_small(h) == host; });
  return is_configured || is_address_reached(host, asked.to);
}

std::optional<answer> refusal_of_host(const request& asked, const config::agent& by) {
  if (is_our_name(asked, by)) return std::nullopt;
  return problem(421,
                 fmt::format("Host: found {}, expected localhost, 127.0.0.1, [::1], the address that was reached, or a name of [agent] "
                             "hosts; to reach the agent by this name, write it there and reload the agent",
                             in_quotes(header(asked, "Host"))));
}

/// What a browser says of a request that another site's page makes. Who is no browser says nothing.
std::optional<answer> refusal_of_site(const request& asked) {
  const std::string site = header(asked, "Sec-Fetch-Site");
  if (asked.has_header("Sec-Fetch-Site") && site != "same-origin" && site != "none")
    return problem(403, fmt::format("Sec-Fetch-Site: found {}, expected same-origin or none: other sites' pages may ask nothing here",
                                    in_quotes(site)));
  if (!asked.has_header("Origin")) return std::nullopt;
  const std::string origin = in_small(header(asked, "Origin"));
  const std::size_t scheme = origin.find("://");
  if (scheme != std::string::npos && origin.substr(scheme + 3) == in_small(header(asked, "Host"))) return std::nullopt;
  return problem(403, fmt::format("Origin: found {}, expected the one of Host {}: other sites' pages may ask nothing here",
                                  in_quotes(origin), in_quotes(header(asked, "Host"))));
}

answer unauthorized(const std::string& detail) {
  answer made = problem(401, detail);
  made.headers.emplace_back("WWW-Authenticate", "Bearer");
  return made;
}

/// A reverse proxy on this host hands on what others ask.
bool is_of_this_host(const request& asked) {
  const bool handed_on =
      std::ranges::any_of(std::array{"X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host", "X-Forwarded-Proto"},
                          [&](std::string_view name) { return asked.has_header(name); });
  return plain(asked.from).is_loopback() && !handed_on;
}

std::optional<answer> refusal_of_reader(const request& asked, const config::agent& by) {
  if (is_of_this_host(asked) || has_token(asked, by)) return std::nullopt;
  if (by.token.empty())
    return unauthorized(fmt::format("found no token in the configuration, without which only this host may ask: {}", how_to_set_a_token));
  return unauthorized("Authorization: expected \"Bearer\" and the token of [agent], since this comes from another host than the agent's");
}

std::optional<answer> refusal_of_changer(const request& asked, const config::agent& by) {
  if (by.token.empty())
    return problem(403,
                   fmt::format("found no token in the configuration, without which nothing is changed over HTTP: {}", how_to_set_a_token));
  if (!has_token(asked, by))
    return unauthorized("Authorization: expected \"Bearer\" and the token of [agent], without which nothing is changed");
  const std::string given = header(asked, "Content-Type");
  const std::string type = in_small(given.substr(0, given.find_first_of("; \t")));
  if (type == "application/json") return std::nullopt;
  return problem(415, fmt::format("Content-Type: found {}, expected application/json", in_quotes(given)));
}

using digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

digest digest_of(std::string_view text) {
  digest made{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), made.data());
  return made;
}

}  // namespace

bool has_token(const request& asked, const config::agent& by) {
  constexpr std::string_view scheme = "bearer ";
  const std::string said = header(asked, "Authorization");
  if (by.token.empty() || in_small(said.substr(0, scheme.size())) != scheme) return false;
  const digest given = digest_of(std::string_view(said).substr(scheme.size()));
  const digest right = digest_of(by.token.reveal());
  return CRYPTO_memcmp(given.data(), right.data(), right.size()) == 0;
}

std::optional<answer> refusal(asks_for what, const request& asked, const config::agent& by) {
  if (what == asks_for::nothing) return std::nullopt;
  if (auto refused = refusal_of_host(asked, by)) return refused;
  if (what == asks_for::our_name) return std::nullopt;
  if (auto refused = refusal_of_site(asked)) return refused;
  return what == asks_for::changing ? refusal_of_changer(asked, by) : refusal_of_reader(asked, by);
}

}  // namespace flipback::serve
