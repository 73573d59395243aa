#pragma once

#include "flipback/error_shares.hpp"

#include "agent/config/configuration.hpp"
#include "probes/net/network.hpp"

#include <boost/asio/io_context.hpp>

#include <string>
#include <vector>

namespace flipback::deployment {

/// Whether the release is to blame for what is breached, as far as it can be told.
struct blame {
  bool elsewhere = false;  ///< the stable slot fails the same: a flip would not help
  std::string says;
};

/// What a probe of something that both slots share says, if it is ill.
using ailing = std::vector<std::string>;

/// "one client (10.0.0.7) makes 91% of the errors, and 12% of the requests": a stranger may make them on purpose, and a person decides.
/// Empty where it is not so: the errors are many clients', or one that makes half of the requests or more, or the log knows no clients, or
/// gives nearly all requests one address (`set_real_ip_from` is missing), so that addresses tell nobody from anybody.
std::string one_client_makes(const error_shares& errors);

/// Asks the stable slot what fails most on the live one: requests that change nothing (GET and HEAD), at most three, at once, `limit` for
/// each. Where it fails them all too, they or whoever makes them are to blame, or what both slots share.
asio::awaitable<blame> whom_to_blame(asio::io_context& loop, net::network& through, const config::slot& stable, const std::string& host,
                                     error_shares errors, const ailing& shared, duration limit);

}  // namespace flipback::deployment
