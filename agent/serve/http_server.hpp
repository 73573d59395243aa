#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace flipback::serve {

struct answer {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

/// A small HTTP/1.1 server for the agent's own pages: GET and HEAD, short requests, a bounded number of connections, each with a deadline.
class http_server {
 public:
  using page = std::function<answer(std::string_view path)>;

  /// Binds "host:port" at once; throws std::runtime_error with the reason where that can't be done. Port 0 takes a free one.
  http_server(boost::asio::io_context& loop, const std::string& listen, page pages);
  ~http_server();

  /// Serves until cancelled.
  boost::asio::awaitable<void> serve();
  [[nodiscard]] std::string address() const;  ///< "127.0.0.1:19187", as bound

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace flipback::serve
