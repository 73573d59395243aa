#pragma once

#include "flipback/units.hpp"

#include "agent/serve/http_message.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace flipback::serve {

/// Server-sent events: how it stands and the rules, at once and whenever they have changed, and what happens. Made once for all who listen,
/// and not at all while nobody does.
class streams {
 public:
  static constexpr std::size_t most = 16;
  static constexpr std::size_t most_waiting = std::size_t{512} * 1024;  ///< bytes for one who does not read; past it he is hung up on
  static constexpr auto status_every = std::chrono::milliseconds(200);
  static constexpr int rules_every = 5;  ///< that many times as long
  static constexpr auto comment_every = std::chrono::seconds(5);

  /// What is streamed, as it is now. The line of JSON is what is sent.
  struct source {
    std::function<boost::json::object()> status;
    std::function<boost::json::object()> rules;
    std::function<std::string(const boost::json::object&)> line;
  };
  streams(boost::asio::io_context& loop, source of);
  ~streams();

  /// One more who listens; null: there are as many as may be.
  std::shared_ptr<feed> open();
  /// An event as a line of JSON, to all who listen.
  void happened(const std::string& line);
  [[nodiscard]] bool is_heard() const { return !all_.empty(); }
  /// Until cancelled.
  boost::asio::awaitable<void> run();
  /// Ends all: whoever may still listen comes again.
  void end_all();

 private:
  class listener;
  std::vector<std::shared_ptr<listener>> listening();
  void tell_all(const std::string& text);
  void look(bool at_rules);

  boost::asio::io_context& loop_;
  source of_;
  std::vector<std::weak_ptr<listener>> all_;
  boost::asio::steady_timer pause_;
  boost::json::object status_;  ///< as it was told last
  boost::json::object rules_;
};

/// Whether a status says the same as another, but for what only the time changes: `at`, and how long is left.
bool says_the_same(boost::json::object one, boost::json::object other);

}  // namespace flipback::serve
