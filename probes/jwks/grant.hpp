#pragma once

#include "flipback/secret.hpp"

#include "probes/jwks/discovery.hpp"
#include "probes/net/http_client.hpp"

#include <span>
#include <string>
#include <string_view>

namespace flipback::jwks {

/// Who asks for a token, and for which.
struct client {
  std::string id;  ///< empty: nobody asks
  secret password;
  std::string scope;     ///< empty: what the server gives by default
  std::string audience;  ///< whom the token must be for; empty: whichever
};

/// Makes a request one for a token by client credentials (RFC 6749, 4.4.2). The secret goes into the header where the issuer takes it there
/// (2.3.1), else into the body. Gives what no message may repeat.
std::vector<secret> ask_for_token(const client& who, bool basic, net::http_request& ask);

/// The token of an answer, or why there is none. `hidden` is taken out of what the server says.
net::result<secret> token_in(const net::http_answer& answer, const std::string& asked, std::span<const secret> hidden);

}  // namespace flipback::jwks
