#pragma once

#include "agent/serve/http_message.hpp"

#include <string>

namespace flipback::serve {

/// An answer that says why nothing else is answered (RFC 9457): `detail` is a sentence that says where, what was found, what was expected,
/// and what to type. It may quote what others wrote.
answer problem(unsigned status, const std::string& detail);

}  // namespace flipback::serve
