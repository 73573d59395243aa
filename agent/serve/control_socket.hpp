#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace flipback::serve {

/// What a person asks of the running agent.
struct demand {
  std::string verb;                           ///< "rollback"
  std::map<std::string, std::string> values;  ///< "reason" → what was given
  std::string by;                             ///< who asks, as the kernel vouches: "alice (uid 1000)"
};

struct reply {
  bool done = false;
  std::string text;  ///< whole lines: for people, or JSON where that was asked for; where not done, why
};

/// A Unix socket on which the agent takes demands, each on a connection of its own: a JSON object in a line, answered by another. Who may
/// write to the socket may ask; its mode is 0660.
class control_socket {
 public:
  using handler = std::function<boost::asio::awaitable<reply>(demand)>;

  /// Binds at once; throws std::runtime_error where that can't be done, also where another agent listens there.
  control_socket(boost::asio::io_context& loop, std::string path, handler answers);
  ~control_socket();

  /// Serves until cancelled.
  boost::asio::awaitable<void> serve();

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

/// The other side, for the command line: asks the agent at `path` and waits for its answer. Blocks. An error says why there is none.
std::expected<reply, std::string> ask(const std::string& path, const demand& what);

}  // namespace flipback::serve
