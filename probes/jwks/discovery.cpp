#include "probes/jwks/discovery.hpp"

#include "flipback/quoted.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace flipback::jwks {

namespace {

namespace json = net::json;

std::vector<std::string> texts_at(const json::value& in, std::string_view pointer) {
  std::vector<std::string> texts;
  if (const json::array* all = net::array_at(in, pointer)) {
    for (const json::value& one : *all)
      if (one.is_string()) texts.emplace_back(one.get_string());
  }
  return texts;
}

/// Host and port as an address has them.
std::string_view authority_of(std::string_view address) {
  address.remove_prefix(address.find("://") + 3);
  return address.substr(0, address.find_first_of("/?#"));
}

}  // namespace

net::result<discovery> parse_discovery(const json::value& document) {
  discovery read;
  for (const auto& [field, into] : {std::pair{"issuer", &read.issuer}, {"jwks_uri", &read.jwks_uri}}) {
    const auto text = net::text_at(document, fmt::format("/{}", field));
    if (!text) return std::unexpected(net::failure{reason::bad_answer, fmt::format("the discovery document has no {}", field)});
    *into = *text;
  }
  read.token_endpoint = net::text_at(document, "/token_endpoint").value_or("");
  read.algorithms = texts_at(document, "/id_token_signing_alg_values_supported");
  if (net::array_at(document, "/token_endpoint_auth_methods_supported") != nullptr) {
    const auto methods = texts_at(document, "/token_endpoint_auth_methods_supported");
    read.takes_basic = std::ranges::find(methods, "client_secret_basic") != methods.end();
    read.takes_post = std::ranges::find(methods, "client_secret_post") != methods.end();
  }
  return read;
}

std::string discovery_path(std::string_view issuer_path) {
  while (issuer_path.ends_with('/')) issuer_path.remove_suffix(1);
  return fmt::format("{}/.well-known/openid-configuration", issuer_path);
}

net::result<net::http_request> request_for(const issuer_place& at, const std::string& address, std::string_view field) {
  const std::string shown = flipback::quoted(address);
  auto to = net::parse_url(address, std::span(net::http_schemes).first(2));  // no Unix socket: that is not for others to say
  if (!to) return std::unexpected(net::failure{reason::bad_answer, fmt::format("the {} is \"{}\", which {}", field, shown, to.error())});
  if (at.name.starts_with("https://") && !to->tls) {
    return std::unexpected(
        net::failure{reason::expectation, fmt::format("the {} is \"{}\", expected https as the issuer's", field, shown)});
  }
  net::http_request made = at.at;
  made.to.target = to->target;
  if (at.stands_in) {
    made.host = authority_of(address);
    return made;
  }
  const bool elsewhere = to->to.host != at.at.to.to.host;
  made.to = std::move(*to);
  if (elsewhere) made.tls.server_name.clear();  // that one is the issuer's
  return made;
}

}  // namespace flipback::jwks
