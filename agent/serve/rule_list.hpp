#pragma once

#include "agent/generation.hpp"

#include <boost/json/object.hpp>

#include <string>

/// Every rule as it is now: `flipback rules`, and the API's list of them.
namespace flipback::serve {

boost::json::object rules_as_object(generation& of);
std::string rules_as_text(generation& of);

/// What is in a breached rule's way: "blocked: both slots fail 8 of 8 …"; empty: nothing is, or it is not breached.
std::string in_the_way_of(const std::string& rule, const generation& of);

}  // namespace flipback::serve
