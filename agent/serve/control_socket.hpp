#pragma once

#include "flipback/event.hpp"
#include "flipback/units.hpp"

#include "agent/serve/demand.hpp"
#include "agent/task_group.hpp"

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
  using teller = std::function<void(event)>;

  /// Binds at once; throws std::runtime_error where that can't be done, also where another agent listens there. Whether its file is still
  /// there is looked at so often; one that was removed is made again.
  control_socket(boost::asio::io_context& loop, std::string path, handler answers, teller tell,
                 duration look_every = std::chrono::seconds(2));
  ~control_socket();

  /// Serves until cancelled; whoever has been heard is answered first, so the handler must not wait for what the cancelling side does
  /// later.
  boost::asio::awaitable<void> serve();

 private:
  struct listener;

  boost::asio::awaitable<void> listen(std::shared_ptr<listener> by);
  void look();
  void make_again();
  void say_lost(std::string says);

  boost::asio::io_context& loop_;
  std::string path_;
  handler answers_;
  teller tell_;
  duration look_every_;
  std::shared_ptr<listener> now_;
  std::string lost_;  ///< what was said of a file that is not our own; "" where it is
  task_group listening_;
};

}  // namespace flipback::serve
