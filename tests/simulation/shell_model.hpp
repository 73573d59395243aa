#pragma once

#include "tests/simulation/fact_writer.hpp"
#include "tests/simulation/journal_writer.hpp"
#include "tests/simulation/rollback_model.hpp"
#include "tests/simulation/rules_model.hpp"
#include "tests/simulation/watcher.hpp"
#include "tests/simulation/world.hpp"

#include <deque>
#include <memory>
#include <vector>

namespace flipback::simulation {

/// One process of the agent: the decider and the machine as they ship, and around them what the real shell does, in the world of the story.
/// It forgets everything when it is destroyed.
class shell_model {
 public:
  shell_model(world& in, watcher& to, double dies_at_a_step);
  ~shell_model() { *alive_ = false; }
  shell_model(const shell_model&) = delete;
  shell_model& operator=(const shell_model&) = delete;

  void start();
  void ask(deployment::verb v);
  /// SIGHUP: the state is handed over whole, and what was being asked is lost. Waits for a rollback that is under way.
  void reload(const terms& by);
  [[nodiscard]] const deployment::state& state() const { return state_; }
  /// What is so at this instant, as each step is told.
  [[nodiscard]] deployment::present present() const;
  [[nodiscard]] bool is_dead() const { return dead_; }
  [[nodiscard]] bool rolls_back() const { return rollback_ != nullptr && !rollback_->over(); }

 private:
  void happen(deployment::happening what);
  void take_step(const deployment::happening& what);
  void later(duration wait, std::function<void()> what);
  void ask_world(std::function<void()> what);
  bool dies();

  void on(const deployment::say& a);
  void on(const deployment::start_rules_anew& a);
  void on(const deployment::tell_window&) {}
  void on(const deployment::ask_stable& a);
  void on(const deployment::ask_blame& a);
  void on(const deployment::ask_ready&);
  void on(const deployment::begin_rollback& a);
  void on(const deployment::give_leave& a);
  void on(const deployment::stop_rollback& a);
  void on(const deployment::close_journal& a);
  void on(const deployment::keep& a);
  void on(const deployment::answer_verb& a);
  void on(const deployment::stage_for& a);
  void on(const deployment::look_at_once&);

  void tick();
  void look();
  void end_look(deployment::sighting s);
  void begin_once_forgotten(const deployment::begin_rollback& a, duration at_latest);
  void begin(const deployment::begin_rollback& a);
  void start_machine(rollback::plan p, const rollback::happening& with);
  void recover(const deployment::attempt& what);

  world& world_;
  watcher& watcher_;
  double dies_at_a_step_;
  bool dead_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::uint64_t generation_ = 0;
  deployment::state state_;
  std::deque<deployment::happening> queue_;
  bool stepping_ = false;
  rules_model rules_;
  fact_writer facts_;
  journal_writer journal_;
  std::size_t closing_ = 0;  ///< attempts that have ended, and that the journal has not forgotten yet
  std::vector<std::unique_ptr<rollback_model>> rollbacks_;
  rollback_model* rollback_ = nullptr;
  std::vector<rollback::row> cut_off_;
  std::optional<slot_number> staged_;
  bool looking_ = false;
  bool look_again_ = false;
  duration looked_{};
  std::deque<std::pair<duration, bool>> door_failed_;  ///< of the last minute
  std::optional<terms> reload_to_;
};

}  // namespace flipback::simulation
