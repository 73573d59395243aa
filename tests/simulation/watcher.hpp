#pragma once

#include "agent/deployment/decider.hpp"
#include "agent/rollback/machine.hpp"

namespace flipback::simulation {

/// Is told everything that the shell does, as it does it. The invariants are one.
class watcher {
 public:
  virtual ~watcher() = default;
  /// The agent was started; `seen` is what it read of an earlier life.
  virtual void born(const deployment::started& seen) = 0;
  virtual void died() = 0;
  virtual void answered(deployment::slot_number slot, instant asked, bool well) = 0;
  /// A step was taken, and its actions are done next.
  virtual void stepped(const deployment::present& now, const deployment::happening& what, const deployment::stepped& done) = 0;
  virtual void asked(const deployment::verb& v) = 0;
  virtual void put(const rollback::change& c, rollback::end to, const rollback::put_result& how) = 0;
  virtual void recovering(const rollback::cut_off& found) = 0;
};

}  // namespace flipback::simulation
