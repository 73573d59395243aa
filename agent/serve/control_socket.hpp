#pragma once

#include "agent/serve/demand.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>

namespace flipback::serve {

/// A Unix socket on which the agent takes demands, each on a connection of its own: a JSON object in a line, answered by another. Who may
/// write to the socket may ask; its mode is 0660.
class control_socket {
 public:
  using handler = std::function<boost::asio::awaitable<reply>(demand)>;

  /// Binds at once; throws std::runtime_error where that can't be done, also where another agent listens there.
  control_socket(boost::asio::io_context& loop, std::string path, handler answers);
  ~control_socket();

  /// Serves until cancelled; whoever has been heard is answered first, so the handler must not wait for what the cancelling side does
  /// later.
  boost::asio::awaitable<void> serve();

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace flipback::serve
