#pragma once

#include "flipback/event.hpp"

#include "agent/generation.hpp"
#include "agent/incident/traces.hpp"
#include "agent/serve/admission.hpp"
#include "agent/serve/demand.hpp"
#include "agent/serve/http_message.hpp"
#include "agent/serve/status.hpp"
#include "agent/serve/streams.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace flipback::serve {

/// The agent over HTTP: the pages of old, the API (packaging/docs/api.md) and the page for people. What the verbs of the command line tell
/// and do is told and done by their own answers; each thing has one route.
class api {
 public:
  /// What it asks of the agent, each time anew.
  struct agent {
    std::function<generation&()> now;
    std::function<boost::asio::awaitable<reply>(demand)> ask;  ///< as a verb is answered, with the commands in it as they are typed here
    std::function<on_record()> known;
    std::function<std::string()> metrics;
    std::function<const incident::traces&()> traces;
    std::function<std::string(std::string)> typed;  ///< a text with the commands in it as they are typed here
  };
  api(boost::asio::io_context& loop, agent of);

  boost::asio::awaitable<answer> answer_to(const request& what);

  /// What was told, for who listens.
  void happened(const event& e, wall_time at);
  /// Tells who listens until cancelled.
  boost::asio::awaitable<void> stream() { return streams_.run(); }
  /// Whoever listens shows his token again.
  void ask_again() { streams_.end_all(); }

  /// A key that a change's body may have.
  struct key {
    std::string_view name;
    bool is_flag = false;
  };
  struct asked;
  struct route {
    std::string_view method;
    std::string_view path;  ///< a part in braces, its last, stands for any text without a slash
    asks_for needs = asks_for::nothing;
    boost::asio::awaitable<answer> (api::*answers)(const asked&) = nullptr;
    std::string_view verb{};  ///< of the command line, which does the work
    std::span<const key> keys{};
  };
  /// A request that may be made, and its route.
  struct asked {
    const request& of;
    const route& by;
    std::string part;  ///< what stands for the part in braces
  };
  /// Every route that there is.
  static std::span<const route> routes();

 private:
  boost::asio::awaitable<answer> front(const asked& what);
  boost::asio::awaitable<answer> health(const asked& what);
  boost::asio::awaitable<answer> metrics(const asked& what);
  boost::asio::awaitable<answer> page(const asked& what);
  boost::asio::awaitable<answer> document(const asked& what);
  boost::asio::awaitable<answer> session(const asked& what);
  boost::asio::awaitable<answer> tell(const asked& what);
  boost::asio::awaitable<answer> rule(const asked& what);
  boost::asio::awaitable<answer> incident(const asked& what);
  boost::asio::awaitable<answer> probes(const asked& what);
  boost::asio::awaitable<answer> traced(const asked& what);
  boost::asio::awaitable<answer> events(const asked& what);
  boost::asio::awaitable<answer> change(const asked& what);

  boost::asio::awaitable<answer> told_by(demand what);
  [[nodiscard]] const config::agent& configured() const { return of_.now().configured().agent; }

  agent of_;
  streams streams_;
};

}  // namespace flipback::serve
