#pragma once

#include <string>

namespace flipback::serve {

/// The text with each command "`flipback …`" in it as it must be typed to reach the agent on this socket: with --socket, unless that is the
/// usual one, or empty. A path that JSON would escape is left out, since the text may be JSON.
std::string typed_here(std::string text, const std::string& socket);

}  // namespace flipback::serve
