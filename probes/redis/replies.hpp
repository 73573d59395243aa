#pragma once

#include "probes/net/stream.hpp"

#include <string>
#include <vector>

struct redisReader;

namespace flipback::redis {

/// A reply as far as a probe needs it: a string, a status or a number as its text, an error, or an array of replies.
struct reply {
  bool is_error = false;
  std::string text;
  std::vector<reply> elements;
};

/// Commands and their replies on a connection, by hiredis' codec. Commands are sent together; replies come in their order. Each is read
/// up to 1 MiB, an array up to 64Ki elements.
class conversation {
 public:
  explicit conversation(net::stream& on);
  ~conversation();
  conversation(const conversation&) = delete;
  conversation& operator=(const conversation&) = delete;

  void say(const std::vector<std::string>& command);
  asio::awaitable<net::result<void>> send();
  asio::awaitable<net::result<reply>> next();

 private:
  net::stream& on_;
  std::string unsent_;
  redisReader* reader_;
  std::size_t read_ = 0;  ///< since the last whole reply
};

}  // namespace flipback::redis
