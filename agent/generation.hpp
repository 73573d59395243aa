#pragma once

#include "flipback/event.hpp"

#include "agent/config/make_probes.hpp"
#include "agent/deployment/control.hpp"
#include "agent/observing.hpp"
#include "agent/schedule/scheduler.hpp"
#include "agent/store/store.hpp"
#include "agent/task_group.hpp"
#include "probes/net/network.hpp"
#include "rules/built_in.hpp"
#include "rules/engine.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>

namespace flipback {

/// Everything that one configuration has running. A reload makes the next one, and only then ends this.
class generation {
 public:
  using teller = std::function<void(event)>;

  /// Makes the probes and compiles the rules; what is wrong is reported, and the generation is then not to be started. `kept` may be null
  /// where there is no deployment.
  generation(asio::io_context& loop, config::configuration from, store* kept, teller tell, settings::diagnostics& problems);
  ~generation();

  /// Takes over samples and verdicts from the one before a reload.
  void adopt(generation&& before);
  asio::awaitable<void> start();
  /// Ends every task and waits for it; a rollback under way ends first.
  asio::awaitable<void> stop();

  [[nodiscard]] const config::configuration& configured() const { return configured_; }
  [[nodiscard]] const std::vector<watched>& probes() const { return observing_->all(); }
  [[nodiscard]] std::size_t watching() const { return scheduled_.size(); }  ///< probes that run here, and not with --check only
  [[nodiscard]] rules::engine& judged() { return engine_; }
  [[nodiscard]] const schedule_counts& schedule() const { return scheduler_.counts(); }
  [[nodiscard]] std::optional<deployment::standing> stands() const;
  /// Null: there is no deployment.
  [[nodiscard]] deployment::control* controlled() { return control_.get(); }
  [[nodiscard]] const std::vector<rules::switched_off>& rules_off() const { return rules_off_; }

 private:
  void compile(settings::diagnostics& problems);
  void settle();
  void arm();
  void told(const rules::change& c);
  void tell_breaches();
  void wire_deployment();
  asio::awaitable<void> ask_nginx();
  [[nodiscard]] deployment::ailing ailing_beside_the_slots() const;
  [[nodiscard]] bool reads(std::size_t rule, const std::string& probe) const;
  [[nodiscard]] std::string seen_by(std::size_t rule) const;
  deployment::breach breach_of(std::size_t rule, instant since, std::string why, bool not_this_release);

  asio::io_context& loop_;
  config::configuration configured_;
  teller tell_;
  net::network network_;
  std::shared_ptr<nginx_facts> nginx_ = std::make_shared<nginx_facts>();
  config::stable_slot stable_ = std::make_shared<std::optional<std::size_t>>();
  std::vector<config::made_probe> made_;
  std::vector<rules::switched_off> rules_off_;
  rules::engine engine_;
  std::unique_ptr<recorder> recorder_;  ///< null: nothing is recorded
  std::unique_ptr<observing> observing_;
  std::vector<std::size_t> scheduled_;  ///< the scheduler's number of a probe → its place in made_
  scheduler scheduler_;
  task_group tasks_;
  task_group watching_;
  std::unique_ptr<deployment::control> control_;
  std::map<std::string, std::size_t> slot_series_;
  bool continues_ = false;  ///< after a reload
  asio::steady_timer rule_timer_;
  bool settling_posted_ = false;
  bool stopped_ = false;
};

}  // namespace flipback
