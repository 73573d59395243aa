#pragma once

#include "probes/net/stream.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct redisReader;

namespace flipback::redis {

/// A reply as far as a probe needs it: a string, a status or a number as its text, or an error.
struct reply {
  bool is_error = false;
  std::string text;
};

/// Commands and their replies on a connection, by hiredis' codec. Commands are sent together; replies come in their order. An
/// answer is read up to 1 MiB.
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
  std::size_t read_ = 0;
};

/// A number in the text that INFO gives ("name:value" lines).
std::optional<double> info_number(std::string_view info, std::string_view name);

}  // namespace flipback::redis
