#pragma once

#include "agent/config/configuration.hpp"
#include "agent/deployment/live_slot.hpp"
#include "agent/deployment/nginx_world.hpp"
#include "agent/deployment/shell.hpp"
#include "agent/rollback/file_image.hpp"
#include "agent/rollback/journal.hpp"
#include "agent/rollback/shell.hpp"
#include "agent/store/fact_keeper.hpp"
#include "agent/store/store.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flipback::deployment {

/// What outlasts a reload of the acting part, and, on disk, the process.
class memory {
 public:
  /// Throws std::runtime_error where another agent has the state.
  memory(asio::io_context& loop, const std::string& file);

  store kept;
  fact_keeper facts;
  rollback::journal journal;
};

/// The acting part of one configuration, put together: the switch, nginx, the world, the shells. Nothing is decided here.
class acting {
 public:
  /// All that is passed must outlive it.
  acting(asio::io_context& loop, const config::configuration& configured, net::network& through, memory& remembered, rule_book& rules,
         std::function<void(event)> tell);
  ~acting();

  /// At the start of the process: what an earlier life left is read, and a rollback that was cut off is completed or undone.
  void begin();
  /// After a reload: goes on with what the one before knew.
  void go_on_after(acting&& before);
  asio::awaitable<void> watch() { return shell_->watch(); }
  void stop(bool agent_ends) { shell_->stop(agent_ends); }

  /// Told after each look, and of what `nginx -T` says and what it makes known of the slots' upstreams.
  std::function<void(const sighting&, const state&)> on_look;
  std::function<void(const rollback::nginx_configuration&)> on_configuration;
  std::function<void(const nginx::slot_addresses&)> on_addresses;
  /// Told after each step which slot is live, in the same step in which the rules start anew; nothing: it is not known.
  std::function<void(const std::optional<live_slot>&)> on_live;

  [[nodiscard]] deployment::shell& shell() { return *shell_; }
  [[nodiscard]] const deployment::shell& shell() const { return *shell_; }

 private:
  /// Takes the locks that are not held yet: what is in the way of each that can't be.
  std::vector<rollback::live_lock::refusal> lock();
  /// That another agent acts on this nginx, in words; empty: none does.
  std::string another_agent();

  memory& memory_;
  std::function<void(event)> tell_;
  terms terms_;
  std::unique_ptr<rollback::slot_switch> switch_;
  std::unique_ptr<rollback::nginx> nginx_;
  std::unique_ptr<nginx_world> world_;
  std::unique_ptr<rollback::shell> rollback_;
  std::unique_ptr<deployment::shell> shell_;
  std::map<std::string, rollback::live_lock> locks_;  ///< by what they lie beside
};

}  // namespace flipback::deployment
