#pragma once

#include "agent/config/configuration.hpp"
#include "probes/net/network.hpp"

#include <optional>
#include <string>

namespace flipback::deployment {

/// What the front door, or a slot asked directly, said of itself.
struct identity_answer {
  enum class kind : std::uint8_t {
    silent,     ///< no answer: refused, timed out, no HTTP
    failing,    ///< an answer, but none that a healthy release gives: 5xx
    anonymous,  ///< an answer without an identity, or one from a cache
    identified
  };
  kind is = kind::silent;
  std::string release;  ///< where identified
  unsigned status = 0;
  std::string says;  ///< for people
};

/// Asks the front door as users do (scheme, host, certificate authority), on a fresh connection; `limit` is for all of it.
asio::awaitable<identity_answer> ask_front_door(net::network& through, const config::front_door& door, duration limit);

/// A slot asked directly.
struct slot_answer {
  bool healthy = false;
  identity_answer identity;
  std::string says;
};
/// Asks a slot for its health, and for its identity where the front door is asked for it.
asio::awaitable<slot_answer> ask_slot(net::network& through, const config::slot& of, const config::front_door& door, duration limit);

}  // namespace flipback::deployment
