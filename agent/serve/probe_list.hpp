#pragma once

#include "agent/judging/observing.hpp"

#include <boost/json/object.hpp>

#include <vector>

namespace flipback::serve {

/// Every probe with what its newest run saw.
boost::json::object probes_as_object(const std::vector<watched>& all);

}  // namespace flipback::serve
