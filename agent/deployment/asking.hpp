#pragma once

#include "flipback/observation.hpp"

#include "agent/config/configuration.hpp"
#include "agent/deployment/door_lacks.hpp"
#include "agent/deployment/sighting.hpp"
#include "probes/net/network.hpp"

#include <boost/asio/io_context.hpp>

#include <string>

namespace flipback::deployment {

/// What a question of ours with this nonce says under User-Agent: by it its line is found in nginx's log.
std::string agent_with(const std::string& nonce);
/// What stands in the query of a question with this nonce: "flipback=NONCE".
std::string query_with(const std::string& nonce);

/// Asks the front door as users do (scheme, host, certificate authority), on a fresh connection, within the door's own limit. With a nonce
/// the question has a query and a user agent of its own, so that no cache that goes by the address can answer it. A nonce is of letters and
/// digits, and never used again. That an answer came from a cache is not looked at: it may say which slot it is, and never that it is not
/// another.
asio::awaitable<reply> ask_front_door(net::network& through, const config::front_door& door, std::string nonce);

/// Asks a slot for its health, within the door's limit: passes where that is as expected.
asio::awaitable<observation> health_of(net::network& through, const config::slot& of, const config::front_door& door);

/// Asks a slot for its health, and for what the front door is asked for, each within the door's limit.
asio::awaitable<slot_reply> ask_slot(net::network& through, const config::slot& of, const config::front_door& door);

/// Asks the front door and, for the same path, each slot. There must be a deployment; all that is passed must outlive the wait.
asio::awaitable<answers_at_once> ask_all(asio::io_context& loop, net::network& through, const config::configuration& configured);

}  // namespace flipback::deployment
