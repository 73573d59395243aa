#pragma once

#include "agent/serve/http_message.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>

namespace flipback::serve {

/// A small HTTP/1.1 server: short requests, a bounded number of connections, each with a deadline. It knows bytes, and nothing of what is
/// asked: what it can't read it refuses itself (400, 413, 431), everything else is another's to answer.
class http_server {
 public:
  /// Asked one request after the other of each connection. What changes something is answered also where the agent ends meanwhile: its
  /// answer must not wait for what comes after the server's end.
  using handler = std::function<boost::asio::awaitable<answer>(const request&)>;

  /// Binds "host:port" at once; throws std::runtime_error with the reason where that can't be done. Port 0 takes a free one.
  http_server(boost::asio::io_context& loop, const std::string& listen, handler answers);
  ~http_server();

  /// Serves until cancelled.
  boost::asio::awaitable<void> serve();
  [[nodiscard]] std::string address() const;  ///< "127.0.0.1:19187", as bound

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace flipback::serve
