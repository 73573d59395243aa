#pragma once

#include "agent/config/configuration.hpp"
#include "agent/deployment/files_seen.hpp"
#include "agent/deployment/log_witness.hpp"
#include "agent/deployment/world.hpp"
#include "agent/rollback/nginx.hpp"
#include "agent/rollback/shell.hpp"
#include "agent/rollback/slot_switch.hpp"
#include "probes/net/network.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <random>
#include <string>

namespace flipback::deployment {

/// The world as it is: nginx on this host, the slots over the network, the switch.
class nginx_world final : public world, public rollback::prober {
 public:
  nginx_world(asio::io_context& loop, const config::configuration& configured, net::network& through, rollback::slot_switch& by,
              rollback::nginx& operated);
  ~nginx_world() override;

  /// Told what `nginx -T` says, whenever it is asked.
  std::function<void(const rollback::nginx_configuration&)> on_configuration;
  /// Told how the slots' upstreams stand in nginx's log, whenever more, or something else, is known of it.
  std::function<void(const nginx::slot_addresses&)> on_addresses;

  /// What else is lacking at that moment, asked at each look whether all is ready.
  std::function<std::vector<lack>()> lacks_of_its_own;

  /// Users were seen to follow the switch then: what it had been changed to is what nginx runs.
  void was_followed(wall_time at) { followed_ = at; }

  clocks now() override;
  intent names() override;
  asio::awaitable<sighting> look(bool fresh) override;
  asio::awaitable<slot_reply> ask_slot(slot_number which) override;
  asio::awaitable<blame> ask_blame(slot_number live, slot_number stable, error_shares errors) override;
  asio::awaitable<known_readiness> look_ready() override;

  asio::awaitable<asked> ask() override;

 private:
  [[nodiscard]] std::string nonce();
  asio::awaitable<void> learn(const rollback::nginx_configuration* found);
  void believe_groups();
  void tell_addresses();

  asio::io_context& loop_;
  const config::configuration& configured_;
  net::network& through_;
  rollback::slot_switch& by_;
  rollback::nginx& operated_;
  std::unique_ptr<log_witness> log_;        ///< of the looks
  std::unique_ptr<log_witness> proof_log_;  ///< of a proof's questions, which the looks must not swallow
  files_seen files_;                        ///< that readiness and what is known of nginx's groups rest on
  files_seen folders_{{}};                  ///< in which a new file would be nginx's, too
  bool groups_are_nginxs_ = true;           ///< the nginx that runs has the groups that were learned
  std::optional<wall_time> followed_;       ///< when users were seen to follow the switch last
  bool told_to_believe_ = true;             ///< whether groups' names told a slot as it was told last
  std::mt19937 chance_;
  std::string boot_id_;
  std::uint64_t questions_ = 0;
};

}  // namespace flipback::deployment
