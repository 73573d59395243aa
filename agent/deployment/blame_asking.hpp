#pragma once

#include "agent/config/configuration.hpp"
#include "agent/deployment/blame.hpp"
#include "probes/net/network.hpp"

#include <boost/asio/io_context.hpp>

#include <string>
#include <vector>

namespace flipback::deployment {

/// Asks both slots all the questions, past nginx, in the same instant, each within `limit`, with the host that users ask for. No query
/// comes into what is returned but in the questions themselves.
asio::awaitable<std::vector<tried>> ask_both(asio::io_context& loop, net::network& through, config::slot live, config::slot stable,
                                             std::string host, std::vector<question> questions, duration limit);

}  // namespace flipback::deployment
