#pragma once

#include "agent/rollback/machine.hpp"
#include "tests/simulation/journal_writer.hpp"
#include "tests/simulation/watcher.hpp"
#include "tests/simulation/world.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>

namespace flipback::simulation {

/// One rollback as the real shell carries it out: the machine as it ships, its actions done to the world.
class rollback_model {
 public:
  /// Whom the rollback talks to, and how the process may die in the midst of it.
  struct surroundings {
    std::function<void(std::string refused)> ask_leave;
    std::function<void()> changed;
    std::function<void(rollback::ending)> finished;
    std::function<void(const event&)> say;
    std::function<void(duration, std::function<void()>)> later;  ///< while the process lives
    std::function<bool()> dies;                                  ///< at this very step; once true it stays so
    std::function<bool()> staged;
  };

  rollback_model(world& in, watcher& to, journal_writer& journal, rollback::plan plan, surroundings with);

  void happen(const rollback::happening& what);
  [[nodiscard]] bool over() const { return state_.is == rollback::machine_state::phase::over; }
  [[nodiscard]] bool stoppable() const { return state_.is <= rollback::machine_state::phase::waiting; }
  [[nodiscard]] const rollback::plan& plan() const { return plan_; }

 private:
  void perform(const rollback::action& a);
  void on(const rollback::write_row& a);
  void on(const rollback::run_test&);
  void on(const rollback::ask_leave&);
  void on(const rollback::put_change& a);
  void on(const rollback::mark_nginx&);
  void on(const rollback::reload_nginx&);
  void on(const rollback::look_for_proof& a);
  void on(const rollback::tell_changed&);
  void on(const rollback::tell_step& a);
  void on(const rollback::finish& a);
  void look(const rollback::look_for_proof& a);
  void tell_look(rollback::proof_look seen);

  world& world_;
  watcher& watcher_;
  journal_writer& journal_;
  rollback::plan plan_;
  surroundings with_;
  rollback::machine_state state_;
  std::size_t complaints_then_ = 0;
  bool marked_ = false;
  std::set<std::uint64_t> workers_then_;
};

/// What the journal says of an attempt that was cut off, as the decider knows attempts.
deployment::attempt attempt_from(const rollback::attempt& written, const terms& by, std::uint64_t epoch, const moment& now);
/// What is to be done and proven.
rollback::plan plan_for(const world& in, const deployment::attempt& what, std::vector<rollback::change> changes,
                        const std::vector<deployment::slot_knowledge>& known, bool failed_before);

}  // namespace flipback::simulation
