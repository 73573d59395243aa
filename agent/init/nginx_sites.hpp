#pragma once

#include "agent/rollback/nginx_configuration.hpp"
#include "probes/nginx/directives.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::init {

/// A `server` block of nginx's, as far as it matters here.
struct server_block {
  std::vector<std::vector<std::string>> listens;  ///< the words of each `listen`, without that one
  std::vector<std::string> names;
  std::vector<std::string> passes;  ///< as they are written: "http://api"
  std::vector<std::string> logs;    ///< the first word of each access_log
  bool tls = false;
};

struct sites {
  std::vector<server_block> servers;
  std::vector<std::string> logs;  ///< of what is around the servers
};
sites sites_in(const std::vector<nginx::directive>& all);

/// Where the servers and passes that a text names lead: "127.0.0.1:8000". The name of an upstream block, of the text's own or of `whole`'s,
/// stands for its servers; a pass with a variable leads nowhere. In their order, each once.
std::vector<std::string> addresses_in(std::string_view text, const rollback::nginx_configuration& whole);

/// The same of what stands in comments of it alone.
std::vector<std::string> addresses_in_comments(std::string_view text);

/// Where users come in by a server: "http://127.0.0.1:8080/health". Nothing where it listens on no TCP port.
std::optional<std::string> door_of(const server_block& server);

/// The first of a server's names that a client can ask for; empty: it has none.
std::string host_of(const server_block& server);

}  // namespace flipback::init
