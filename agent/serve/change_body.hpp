#pragma once

#include "agent/serve/api.hpp"

#include <expected>

namespace flipback::serve {

/// What the body of a change asks: an object of the route's keys, and `by`, who the client says that it asks for. The error is the answer.
std::expected<demand, answer> demand_of(const api::asked& what);

}  // namespace flipback::serve
