#pragma once

#include "agent/config/configuration.hpp"
#include "agent/deployment/door_lacks.hpp"
#include "agent/deployment/state.hpp"
#include "agent/rollback/nginx.hpp"
#include "agent/rollback/nginx_configuration.hpp"
#include "agent/rollback/slot_switch.hpp"

#include <optional>
#include <string>
#include <vector>

/// Whether everything that a rollback would need is there now (semantics.md §4, "Ready").
namespace flipback::deployment {

struct readiness {
  std::vector<lack> lacking;       ///< those that block first
  std::vector<std::string> notes;  ///< what a person should know, though nothing is in the way
  /// What nginx's configuration was found to be; nothing where it could not be had.
  std::optional<rollback::nginx_configuration> nginx;

  [[nodiscard]] bool is_ready() const;
};

/// Tries everything, leaving no trace. Takes as long as `nginx -t` and `nginx -T`. `answered`: what the front door and the slots have just
/// answered. Of what is passed by reference, all must outlive the wait.
asio::awaitable<readiness> look_ready(rollback::slot_switch& how, rollback::nginx& nginx, const config::configuration& configured,
                                      answers_at_once answered);

}  // namespace flipback::deployment
