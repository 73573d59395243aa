#pragma once

#include "agent/generation.hpp"
#include "agent/serve/control_socket.hpp"
#include "agent/serve/status.hpp"

namespace flipback::serve {

/// What the running agent answers to a verb of the command line (packaging/docs/verbs.md: "Verbs"). With the value `json` the text is JSON.
asio::awaitable<reply> answer_to(generation& of, const on_record& known, demand asked);

}  // namespace flipback::serve
