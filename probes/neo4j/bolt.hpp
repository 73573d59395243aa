#pragma once

#include "probes/neo4j/packstream.hpp"
#include "probes/net/stream.hpp"

#include <cstdint>
#include <string>

namespace flipback::neo4j {

/// What FAILURE's code (or an HTTP answer's) means; `says` is the server's own sentence, already fit for a message.
net::failure failure_of(std::string_view code, std::string_view says);

/// The Bolt protocol on a connection, as far as it takes to log in and ask one thing. Versions 5.0 to 5.8 and 4.2 to 4.4.
class bolt {
 public:
  explicit bolt(net::stream& on) : on_(on) {}

  /// Agrees on a version; `bad_answer` where whoever is there speaks something else.
  asio::awaitable<net::result<void>> shake_hands();
  /// Says who we are; an empty user: the server asks nobody for a password. One attempt, whatever comes of it.
  asio::awaitable<net::result<void>> log_in(std::string user, std::string password);
  /// The first value of the first row of a reading query; null where there is no row.
  asio::awaitable<net::result<json::value>> first_value(std::string query, std::string database);
  asio::awaitable<void> say_goodbye();

  [[nodiscard]] std::string version() const;  ///< "5.8"
  [[nodiscard]] const std::string& server() const { return server_; }  ///< "Neo4j/5.26.16", once logged in

 private:
  asio::awaitable<net::result<void>> say(message m);
  asio::awaitable<net::result<message>> hear();
  asio::awaitable<net::result<message>> ask(message m);  ///< a FAILURE is a failure
  asio::awaitable<net::result<void>> fill(std::size_t size);

  net::stream& on_;
  unsigned major_ = 0;
  unsigned minor_ = 0;
  std::string server_;
  std::string unread_;
};

}  // namespace flipback::neo4j
