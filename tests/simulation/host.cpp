#include "tests/simulation/host.hpp"

namespace flipback::simulation {

void host::start_agent() {
  if (agent_ || !up_) return;
  world_.tell("the agent starts");
  agent_ = std::make_unique<shell_model>(world_, watcher_, dies_at_a_step);
  agent_->start();
}

void host::kill_agent() {
  if (!agent_) return;
  world_.tell("the agent is killed");
  agent_.reset();
  watcher_.died();
  world_.time.after(world_.chance.between(milliseconds(500), seconds(10)), [this] { start_agent(); });
}

void host::bury() {
  if (!agent_ || !agent_->is_dead()) return;
  if (world_.chance.chance(0.3))
    lose_power(world_.chance.chance(0.3) ? std::chrono::hours(1) : duration{});
  else
    kill_agent();
}

void host::lose_power(duration clock_set_back) {
  world_.tell("the power is lost{}", clock_set_back > duration{} ? ", and the clock is an hour back after it" : "");
  agent_.reset();
  watcher_.died();
  watcher_.touched();
  up_ = false;
  world_.nginx.stop();
  std::vector<slots_model::condition> were;
  for (slot_number n = 0; n < world_.slots.count(); ++n) {
    were.push_back(world_.slots.at(n).is);
    world_.slots.become(n, slots_model::condition::stopped, world_.time.now());
  }
  if (world_.disk.lose_power(world_.chance)) watcher_.may_begin_an_epoch();
  world_.time.after(world_.chance.between(seconds(3), seconds(30)), [this, were, clock_set_back] {
    world_.clock.set_back(clock_set_back);
    world_.clock.reboot(world_.time.now(), seconds(15));
    up_ = true;
    world_.tell("the machine is up again");
    world_.nginx.start();
    watcher_.may_begin_an_epoch();  // whatever a person had written and not loaded is in effect now
    for (slot_number n = 0; n < were.size(); ++n) {
      world_.time.after(world_.chance.between(milliseconds(100), seconds(10)), [this, n, is = were[n]] {
        if (world_.slots.at(n).is == slots_model::condition::stopped) world_.slots.become(n, is, world_.time.now());
        watcher_.touched();
      });
    }
    world_.time.after(world_.chance.between(milliseconds(100), seconds(3)), [this] { start_agent(); });
  });
}

}  // namespace flipback::simulation
