#pragma once

#include "flipback/event.hpp"

#include "agent/config/make_probes.hpp"
#include "agent/deployment/acting.hpp"
#include "agent/judging/judge.hpp"
#include "agent/schedule/scheduler.hpp"
#include "agent/task_group.hpp"
#include "probes/net/network.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace flipback {

/// The wiring of one configuration: its probes, their schedule, the judge, the acting part. A reload makes the next one, and only then ends
/// this.
class generation {
 public:
  using teller = std::function<void(event)>;

  /// Makes the probes and compiles the rules; what is wrong is reported, and the generation is then not to be started. `remembered` may be
  /// null where there is no deployment.
  generation(asio::io_context& loop, config::configuration from, deployment::memory* remembered, teller tell,
             settings::diagnostics& problems);
  ~generation();

  /// Takes over samples, verdicts and what is known of the deployment from the one before a reload, which has ended.
  void adopt(generation&& before);
  void start();
  /// Ends every task and waits for it; a rollback under way ends first, or, where the agent itself ends, is left to the next start.
  asio::awaitable<void> stop(bool agent_ends);

  [[nodiscard]] const config::configuration& configured() const { return configured_; }
  [[nodiscard]] const std::vector<watched>& probes() const { return judge_->probes(); }
  [[nodiscard]] std::size_t watching() const { return scheduled_.size(); }  ///< probes that run here, and not with --check only
  /// The rules that roll back, as they read now.
  [[nodiscard]] std::vector<incident::reading> rollback_readings() { return judge_->rollback_readings(); }
  /// What users met with: see judge.
  [[nodiscard]] std::optional<incident::users_met> users_between(instant from, instant to, judge::whose of) const {
    return judge_->users_between(from, to, of);
  }
  [[nodiscard]] rules::engine& judged() { return judge_->engine(); }
  /// Told from now on how late our loop wakes up for each thing that is due.
  void on_wake(std::function<void(duration late)> told) { scheduler_.on_wake = std::move(told); }
  [[nodiscard]] const schedule_counts& schedule() const { return scheduler_.counts(); }
  [[nodiscard]] std::optional<deployment::standing> stands() const;
  /// Null: there is no deployment.
  [[nodiscard]] deployment::shell* deployed() { return acting_ ? &acting_->shell() : nullptr; }
  [[nodiscard]] const std::vector<rules::switched_off>& rules_off() const { return judge_->rules_off(); }

 private:
  void wire_deployment();
  void take(std::size_t probe, const run& of, const observation& seen);
  void tell_live(const std::optional<deployment::live_slot>& now);
  void hand_on(const deployment::sighting& seen, const deployment::state& s);

  asio::io_context& loop_;
  config::configuration configured_;
  teller tell_;
  net::network network_;
  std::shared_ptr<nginx_facts> nginx_ = std::make_shared<nginx_facts>();
  std::shared_ptr<live_facts> live_ = std::make_shared<live_facts>();
  std::optional<deployment::live_slot> known_live_;  ///< as it was told last
  std::shared_ptr<config::slots_now> slots_ = std::make_shared<config::slots_now>();
  std::vector<config::made_probe> made_;
  std::unique_ptr<slot_checks> checks_;
  std::unique_ptr<judge> judge_;
  std::vector<std::size_t> scheduled_;  ///< the scheduler's number of a probe → its place in made_
  scheduler scheduler_;
  task_group tasks_;
  task_group watching_;
  std::unique_ptr<deployment::acting> acting_;  ///< null: there is no deployment
  bool continues_ = false;                      ///< after a reload
};

}  // namespace flipback
