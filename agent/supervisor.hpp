#pragma once

#include "agent/event_log.hpp"
#include "agent/generation.hpp"
#include "agent/incident/book.hpp"
#include "agent/incident/follow_up.hpp"
#include "agent/incident/history.hpp"
#include "agent/notify/notifier.hpp"
#include "agent/serve/api.hpp"
#include "agent/serve/control_socket.hpp"
#include "agent/serve/http_server.hpp"
#include "agent/serve/own_times.hpp"
#include "agent/serve/tally.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <filesystem>
#include <memory>

namespace flipback {

/// Runs the agent: one generation at a time, the pages, the signals. SIGHUP reads the configuration anew, SIGTERM and SIGINT end.
class supervisor {
 public:
  /// Throws std::runtime_error where the agent can't start; the configuration has been found good.
  supervisor(asio::io_context& loop, std::filesystem::path file, config::configuration first);
  ~supervisor();

  /// Runs until a signal ends it. Call once, from `main`.
  asio::awaitable<void> run();

 private:
  asio::awaitable<void> reload();
  void reject(const settings::diagnostics& problems);
  asio::awaitable<void> feed_watchdog();
  void make_api();
  void listen_to_operators(const std::string& path);
  std::unique_ptr<generation> make(config::configuration from, notify::directory& targets, settings::diagnostics& problems);
  void remember(const std::string& file);
  void follow(const config::agent& before, const config::agent& now);
  /// With the commands in it as they must be typed to reach this agent, and with the incident that it belongs to.
  void tell(event e);
  void put_down(const std::vector<event>& all, wall_time at);
  void settle_incidents();
  void tell_people_by(notify::directory targets);
  void go_on_with_incidents(const std::string& file);
  [[nodiscard]] serve::on_record known() const;
  /// With the commands in it as they must be typed to reach this agent.
  [[nodiscard]] std::string typed(std::string text) const;
  asio::awaitable<serve::reply> ask(serve::demand asked);
  asio::awaitable<serve::reply> answer(serve::demand asked);
  serve::reply acknowledge(const serve::demand& asked);
  void tell_start(instant began);

  asio::io_context& loop_;
  std::filesystem::path file_;
  std::string rejected_;  ///< when and why the file was refused last; empty: it is what runs
  std::unique_ptr<event_log> log_;
  config::agent started_with_;
  std::unique_ptr<deployment::memory> memory_;  ///< null: there was no deployment yet
  incident::book incidents_;
  incident::follow_up follow_up_;
  serve::tally told_;
  std::shared_ptr<serve::own_times> times_ = std::make_shared<serve::own_times>();  ///< shared with the store's thread
  std::unique_ptr<incident::history> history_;                                      ///< null: there was no deployment yet
  notify::notifier notifier_;
  std::unique_ptr<serve::api> api_;             ///< null: nothing listens
  std::unique_ptr<serve::http_server> server_;  ///< the same
  std::unique_ptr<serve::control_socket> control_;
  std::unique_ptr<generation> now_;
  task_group tasks_;
  asio::signal_set signals_;
};

}  // namespace flipback
