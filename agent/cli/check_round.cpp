#include "agent/cli/check_round.hpp"

#include "agent/cli/check_progress.hpp"
#include "agent/cli/rollback_line.hpp"
#include "agent/config/make_probes.hpp"
#include "agent/deployment/asking.hpp"
#include "agent/schedule/scheduler.hpp"
#include "probes/net/network.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <memory>
#include <string>
#include <utility>

namespace flipback::cli {

namespace {

/// A slot's health as a line of the report.
class slot_health final : public probe {
 public:
  slot_health(net::network& through, const config::slot& of, const config::front_door& door) : through_(through), slot_(of), door_(door) {}
  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return {}; }
  asio::awaitable<observation> observe(run&) override { return deployment::health_of(through_, slot_, door_); }

 private:
  net::network& through_;
  const config::slot& slot_;
  const config::front_door& door_;
};

class one_round {
 public:
  explicit one_round(const selection& what);
  round_found run();

 private:
  void add(const std::string& name) {
    all_.push_back({name, kept(observation::unknown(reason::own_stall, "interrupted before it ended")), false});
  }
  void add(const std::string& name, probe& asked, duration timeout);
  void look_at_rollback();
  void ended(std::size_t which, const observation& seen);
  void leave_nothing_behind();

  const selection& what_;
  instant began_ = std::chrono::steady_clock::now();
  asio::io_context loop_{1};
  net::network network_;
  std::unique_ptr<probe> health_;
  std::vector<config::made_probe> probes_;
  std::vector<checked> all_;
  std::size_t left_ = 0;
  scheduler once_;
};

one_round::one_round(const selection& what)
    : what_(what),
      network_(loop_.get_executor(), what.chosen.agent.name_servers),
      once_(loop_, [this](std::size_t which, const flipback::run&, const observation& seen) { ended(which, seen); }) {
  if (what.health_of) {
    const config::front_door& door = what.chosen.deployment->front_door;
    health_ = std::make_unique<slot_health>(network_, *what.health_of, door);
    add(what.health_of->name, *health_, 2 * door.timeout);  // it keeps the door's time-out itself
  }
  settings::diagnostics said_before;
  probes_ = config::make_probes(what.chosen, {loop_.get_executor(), network_, config::upstreams_of(what.chosen)}, said_before);
  for (const config::made_probe& p : probes_) add(p.entry->name, *p.observed, p.entry->timeout);
  if (what.rollback) add(std::string(rollback_line));
  left_ = all_.size();
}

void one_round::add(const std::string& name, probe& asked, duration timeout) {
  // An interval that never comes again: each probe runs once.
  once_.add(asked, std::chrono::hours(24), timeout);
  add(name);
}

void one_round::ended(std::size_t which, const observation& seen) {
  if (std::exchange(all_[which].ended, true)) return;
  all_[which].seen = kept(seen);
  if (--left_ == 0) loop_.stop();
}

void one_round::look_at_rollback() {
  asio::co_spawn(loop_, look_ready(loop_, *what_.whole), [this](const std::exception_ptr& thrown, const deployment::readiness& found) {
    observation seen = thrown ? observation::unknown(reason::own_stall, "it could not be looked") : as_observation(found);
    seen.latency = std::chrono::steady_clock::now() - began_;
    ended(all_.size() - 1, seen);
  });
}

/// What still hangs is cancelled and waited for.
void one_round::leave_nothing_behind() {
  loop_.restart();
  asio::co_spawn(loop_, once_.stop(), [this](const std::exception_ptr&) { loop_.stop(); });
  loop_.run_for(std::chrono::seconds(1));
}

round_found one_round::run() {
  bool is_interrupted = false;
  asio::signal_set interrupts(loop_, SIGINT, SIGTERM);
  interrupts.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    is_interrupted = true;
    loop_.stop();
  });
  progress shown(loop_, [this](std::size_t columns) { return progress_line(all_, columns); });
  once_.start(duration(1));
  if (what_.rollback) look_at_rollback();
  loop_.run();
  shown.end();
  round_found found{all_, std::chrono::steady_clock::now() - began_, is_interrupted};
  interrupts.cancel();
  leave_nothing_behind();
  return found;
}

}  // namespace

round_found ask_once(const selection& what) {
  return one_round(what).run();
}

}  // namespace flipback::cli
