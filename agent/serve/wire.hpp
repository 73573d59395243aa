#pragma once

#include "agent/serve/demand.hpp"

#include <optional>
#include <string>

/// How a demand and its reply go over the control socket: a JSON object each, in a line of its own.
namespace flipback::serve {

/// The line that asks this. What is no UTF-8 in it is sent with U+FFFD in its place.
std::string line_of(const demand& what);
/// What a line asks; its `by` is whoever the other side says that it is. Nothing: it is no demand.
std::optional<demand> demand_in(const std::string& line);

/// The line that answers this.
std::string line_of(const reply& r);
/// What a line answers. Nothing: it is no reply.
std::optional<reply> reply_in(const std::string& line);

}  // namespace flipback::serve
