#pragma once

#include "probes/net/http_client.hpp"
#include "probes/net/stream.hpp"

namespace flipback::net {

struct exchanged {
  http_answer answer;     ///< its times from the request on; what connecting took is not in them
  bool reusable = false;  ///< the connection may carry another exchange
};

/// Sends one request on a connection, and reads its answer as the bytes come. `answering` is set with the answer's first byte, also where
/// the rest is a failure.
asio::awaitable<result<exchanged>> exchange_on(stream& on, const http_request& ask, bool keep_alive, run& r, bool& answering);

}  // namespace flipback::net
