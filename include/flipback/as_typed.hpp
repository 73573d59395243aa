#pragma once

#include <span>
#include <string>

namespace flipback {

/// A program and its arguments as a person types them into a shell: what a shell would take apart or replace stands in single quotes.
std::string as_typed(std::span<const std::string> argv);

}  // namespace flipback
