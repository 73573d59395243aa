#pragma once

#include "probes/net/http_client.hpp"
#include "probes/net/network.hpp"

namespace flipback::deployment {

/// One question on a connection of its own, within `limit` from look-up to the last byte.
asio::awaitable<net::result<net::http_answer>> ask(net::network& through, net::http_request request, duration limit);

}  // namespace flipback::deployment
