#pragma once

#include "agent/generation.hpp"
#include "agent/serve/control_socket.hpp"

namespace flipback::serve {

/// What the running agent answers to a verb of the command line (packaging/docs/verbs.md: "Verbs"). With the value `json` the text is JSON.
/// `incident`: the id of the one that is open, or ""; `unrecorded`: why what happens is not on record, or "".
struct on_record {
  std::string incident;
  std::string unrecorded;
  std::string untold;  ///< why people are not told of it, or ""
};
asio::awaitable<reply> answer_to(generation& of, const on_record& known, demand asked);

}  // namespace flipback::serve
