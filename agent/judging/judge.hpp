#pragma once

#include "flipback/event.hpp"

#include "agent/config/make_probes.hpp"
#include "agent/deployment/world.hpp"
#include "agent/incident/traces.hpp"
#include "agent/incident/users_met.hpp"
#include "agent/judging/observing.hpp"
#include "agent/judging/slot_checks.hpp"
#include "agent/record/recorder.hpp"
#include "rules/built_in.hpp"
#include "rules/engine.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace flipback {

/// Holds what is observed against the rules, in time: the engine, its timer, the record. A breach leaves it as plain data.
class judge final : public deployment::rule_book {
 public:
  using teller = std::function<void(event)>;

  /// Compiles the rules; what is wrong with them is reported, and the judge is then not to be used. The probes and the slots' checks must
  /// outlive it.
  judge(asio::io_context& loop, const config::configuration& configured, const std::vector<config::made_probe>& probes, slot_checks& checks,
        teller tell, settings::diagnostics& problems);

  /// Another slot is in that role than before: what was asked of it was of that one.
  void forget_asked(config::slot_role in);

  /// A rollback rule has something else to say.
  std::function<void()> on_rollback_rules;
  /// Both slots were asked for what fails, and failed or were well alike: what is held against the live one from then on began after it.
  std::function<void(instant mark)> on_mark;
  /// A rule that holds is breached.
  std::function<void(const std::string& rule, const std::string& why)> on_hold;

  /// Takes over samples and verdicts from the one before a reload.
  void adopt(judge&& before);
  void take(std::size_t probe, const run& of, const observation& seen);
  /// Whether a slot is up, as the deployment's looks see it: "live", "stable", "front_door" and each slot's own name.
  void see_up(const std::string& name, std::optional<bool> up, instant asked, instant at);
  void stood_still(duration stood);
  /// Judges what has come, at once.
  void settle();
  void stop();

  /// The rules that roll back, as they read now.
  [[nodiscard]] std::vector<incident::reading> rollback_readings();
  /// What users met with in (from, to], as far back as samples are kept; nothing: nobody counts their requests. Of `live`: those that the
  /// live slot answered and that began since the cutover, where that can be told.
  enum class whose : std::uint8_t { all, live };
  [[nodiscard]] std::optional<incident::users_met> users_between(instant from, instant to, whose of) const;

  /// What the front door answered last, for people.
  void hear_front_door(const std::string& says) { front_door_says_ = says; }

  std::vector<deployment::rule_now> rules_now(const deployment::state& s) override;
  std::vector<std::string> not_this_release() override;
  asio::awaitable<std::string> unmet_check(deployment::slot_number of) override;
  error_shares errors_of(const std::string& rule, instant since) override;
  void start_anew(const deployment::start_rules_anew& how) override;
  void window(bool open) override;
  void follow(const deployment::state& s) override;

  [[nodiscard]] rules::engine& engine() { return engine_; }
  [[nodiscard]] recorder* recorded() { return recorder_.get(); }
  [[nodiscard]] const std::vector<watched>& probes() const { return observing_->all(); }
  [[nodiscard]] const std::vector<rules::switched_off>& rules_off() const { return rules_off_; }

 private:
  /// By which names the engine knows the samples of what users meet with: of one log, or of what counts requests otherwise.
  struct users_count {
    std::string all;
    std::string live;  ///< empty: the live slot's are not told apart
  };
  struct of_users {
    duration every{};
    users_count errors, slow;
    std::string latencies;
  };

  void find_users(const rules::catalogue& signals, rules::compiled& into);
  [[nodiscard]] pooled counts_of(const std::string& samples, instant from, instant to) const;
  void settle_soon();
  void arm();
  void told(const rules::change& c);
  [[nodiscard]] bool reads(std::size_t rule, const std::string& probe) const;
  [[nodiscard]] std::string seen_by(std::size_t rule) const;
  [[nodiscard]] std::string shared_is_ill() const;
  [[nodiscard]] const knows_errors* who_knows(std::size_t rule, telling what) const;
  deployment::rule_now rule_as_it_is(std::size_t number, const deployment::state& s);

  asio::io_context& loop_;
  const std::vector<config::made_probe>& made_;
  teller tell_;
  std::vector<rules::switched_off> rules_off_;
  rules::engine engine_;
  std::string held_;                    ///< why automatic rollbacks are held; empty: they are not
  std::uint64_t latched_in_ = 0;        ///< the epoch whose latch is shut; 0: it is open
  std::unique_ptr<recorder> recorder_;  ///< null: nothing is recorded
  std::unique_ptr<observing> observing_;
  std::map<std::string, std::size_t> slot_series_;
  std::vector<of_users> of_users_;
  std::map<std::string, instant> reachable_at_;  ///< of probes that belong to no slot: when they were reachable last
  slot_checks& checks_;
  std::string front_door_says_;
  std::optional<instant> newest_mark_;                         ///< of all rules
  instant watching_since_ = std::chrono::steady_clock::now();  ///< a reload goes on watching
  asio::steady_timer timer_;
  bool settling_posted_ = false;
  bool stopped_ = false;
};

}  // namespace flipback
