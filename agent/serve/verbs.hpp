#pragma once

#include "agent/generation.hpp"
#include "agent/serve/control_socket.hpp"

namespace flipback::serve {

/// What the running agent answers to a verb of the command line (packaging/docs/verbs.md: "Verbs"). With the value `json` the text is JSON.
/// `incident`: the id of the one that is open, or "".
asio::awaitable<reply> answer_to(generation& of, const std::string& incident, demand asked);

}  // namespace flipback::serve
