#pragma once

#include "tests/simulation/invariants.hpp"
#include "tests/simulation/shell_model.hpp"
#include "tests/simulation/world.hpp"

#include <memory>

namespace flipback::simulation {

/// The machine on which the agent runs: starts it, kills it, loses power.
class host {
 public:
  host(world& in, invariants& to) : world_(in), watcher_(to) {}

  double dies_at_a_step = 0;  ///< in a rollback, at each thing that it does

  [[nodiscard]] shell_model* agent() { return agent_.get(); }
  void start_agent();
  void kill_agent();
  void lose_power(duration clock_set_back);
  /// To be called after each thing that happens: an agent that died in the midst of it is gone then.
  void bury();
  [[nodiscard]] bool is_up() const { return up_; }

 private:
  world& world_;
  invariants& watcher_;
  std::unique_ptr<shell_model> agent_;
  bool up_ = true;
};

}  // namespace flipback::simulation
