#pragma once

#include "agent/serve/api.hpp"

#include <expected>
#include <string>

namespace flipback::serve {

/// The route that a request is for, and what stands for its part in braces.
struct found_route {
  const api::route* is = nullptr;
  std::string part;
};

/// The error is the answer: there is nothing of that path, or it does not take this method.
std::expected<found_route, answer> route_of(const request& what);

}  // namespace flipback::serve
