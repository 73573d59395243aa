#include "probes/jwks/terms.hpp"

#include "probes/net/http_settings.hpp"
#include "probes/net/tls_settings.hpp"

#include <fmt/format.h>

namespace flipback::jwks {

namespace {

constexpr std::string_view keys_example = "https://sso.example.com/realms/main/protocol/openid-connect/certs";
constexpr std::string_view issuer_example = "https://sso.example.com/realms/main";

std::optional<net::url> read_address(settings::section& from, std::string_view key, std::span<const net::scheme> schemes) {
  const auto text = from.text(key);
  if (!text) return std::nullopt;
  auto parsed = net::parse_url(*text, schemes);
  if (parsed) return std::move(*parsed);
  from.report(key, fmt::format("found {}, which {}", from.shown(key), parsed.error()));
  return std::nullopt;
}

/// The issuer by its name, asked at its own address or at the one under `address`.
std::optional<issuer_place> read_issuer(settings::section& from) {
  issuer_place made;
  made.name = from.text("issuer", "");
  made.at.tls = net::read_tls_options(from);
  auto own = read_address(from, "issuer", std::span(net::http_schemes).first(2));
  const auto other = read_address(from, "address", net::http_schemes);
  if (from.has("host"))
    from.report("host", "stands beside issuer, whose own host is what it is asked as: expected address, where it is to be asked elsewhere");
  if (other && other->target != "/")
    from.report("address", fmt::format("found {}, expected no path: the issuer has it", from.shown("address")));
  if (!own) return std::nullopt;
  if (own->target.contains('?') || made.name.contains('#'))
    from.report("issuer", fmt::format("found {}, expected an address without a query (OpenID Connect Discovery)", from.shown("issuer")));
  made.at.to = *own;
  if (!other) return made;
  made.stands_in = true;
  made.at.to = *other;
  made.at.to.target = own->target;
  if (made.at.tls.server_name.empty()) made.at.tls.server_name = own->to.host;
  const auto named = made.name.substr(made.name.find("://") + 3);
  made.at.host = named.substr(0, named.find('/'));
  return made;
}

client read_client(settings::section& from) {
  client who;
  who.id = from.text("client_id", "");
  const auto password = from.hidden("client_secret");
  who.scope = from.text("scope", "");
  who.audience = from.text("audience", "");
  if (password && who.id.empty()) from.report_here("has a client_secret and no client_id, expected both");
  if (!who.id.empty() && !password) from.report_here("has a client_id and no client_secret, expected both");
  if (password) who.password = *password;
  for (const std::string_view key : {"scope", "audience"})
    if (from.has(key) && who.id.empty()) from.report(key, "is a token's, which only client_id and client_secret get");
  return who;
}

}  // namespace

terms read_terms(settings::section& from) {
  terms read;
  const bool by_issuer = from.has("issuer");
  if (by_issuer && from.has("url")) from.report("url", "stands beside issuer, whose document names the key set: expected one of them");
  if (!by_issuer && !from.has("url"))
    from.report_here(fmt::format("has nobody to ask, expected url = \"{}\" or issuer = \"{}\"", keys_example, issuer_example));
  if (by_issuer) {
    read.issuer = read_issuer(from);
    from.know("url");
    from.know("host");
  } else if (from.has("url")) {
    read.keys = net::read_http_request(from, keys_example);
  } else {
    net::read_tls_options(from);
    from.know("host");
  }
  read.who = read_client(from);
  if (!by_issuer) {
    for (const std::string_view key : {"address", "client_id", "client_secret", "client_secret_file"})
      if (from.has(key)) from.report(key, "goes with issuer alone");
  }
  if (auto at = read_address(from, "health", net::http_schemes)) {
    net::http_request ask;
    ask.tls = read.issuer || read.keys ? read.first_asked().tls : net::tls_options{};
    if (!from.has("server_name")) ask.tls.server_name.clear();  // taken from the other's host
    ask.to = std::move(*at);
    read.health = std::move(ask);
  }
  read.algorithms = from.texts("algorithms");
  return read;
}

}  // namespace flipback::jwks
