#pragma once

#include "probes/net/http_client.hpp"
#include "probes/net/json.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flipback::jwks {

/// An issuer, and where it is asked. Every message to it goes to `at.to`: the issuer's own address, or the one that stands in for it.
struct issuer_place {
  std::string name;        ///< exactly as its tokens have it
  net::http_request at;    ///< its path without a slash at the end, its Host, its TLS
  bool stands_in = false;  ///< `at` is not the issuer's own address: whatever its document names is asked there too
};

/// What an issuer's discovery document says (OpenID Connect Discovery 1.0, 3), as far as we need it.
struct discovery {
  std::string issuer;
  std::string jwks_uri;
  std::string token_endpoint;           ///< empty: it has none
  std::vector<std::string> algorithms;  ///< that it signs ID tokens by; empty: it does not say
  bool takes_basic = true;              ///< how a client may say its secret: in the Authorization header, which is what a document that
  bool takes_post = false;              ///< does not say means, or in the body
};
net::result<discovery> parse_discovery(const net::json::value& document);

/// The path of an issuer's document (4.1): a slash at the issuer's end does not count.
std::string discovery_path(std::string_view issuer_path);

/// How an address that the document names is asked. Where another place stands in for the issuer, it is asked there by the path, with the
/// Host that the address names: a public name need not be one that we can resolve. Else it is asked where it says. An issuer that is asked
/// by https may name no address of http: what is fetched there could be anybody's.
net::result<net::http_request> request_for(const issuer_place& at, const std::string& address, std::string_view field);

}  // namespace flipback::jwks
