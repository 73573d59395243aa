#pragma once

#include "probes/net/http_client.hpp"

#include <string_view>

namespace flipback::net {

/// Where an answer's Location leads from the URL that was asked (RFC 3986, section 5.2). Only http and https lead anywhere; from https to
/// http is refused, whoever asks for it.
result<url> redirected(const url& from, std::string_view location);

/// An exchange whose redirects are followed, at most so many; `client` is the one for the first place. Another place gets none of the
/// credentials: no header but those that everyone may see, no body, no client certificate. Times are those of all answers together.
asio::awaitable<result<http_answer>> exchange_following(network& through, http_client& client, const http_request& ask, unsigned most,
                                                        run& r);

}  // namespace flipback::net
