#pragma once

#include "flipback/error_shares.hpp"

#include <string>

namespace flipback {

/// "one client (10.0.0.7) makes 91% of the errors, and 3% of the requests": at least 80% of the errors, and less than half of the requests.
/// Empty where no client does, or where one address makes 90% of all requests: then a proxy stands in front, and clients say nothing.
std::string one_client_of(const error_shares& errors);

}  // namespace flipback
