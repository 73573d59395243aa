#pragma once

#include "flipback/event.hpp"

#include "agent/config/configuration.hpp"
#include "agent/deployment/blame.hpp"
#include "agent/deployment/guards.hpp"
#include "agent/deployment/memory.hpp"
#include "agent/deployment/tracker.hpp"
#include "agent/rollback/transaction.hpp"
#include "agent/store/store.hpp"
#include "agent/task_group.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <set>

namespace flipback::deployment {

/// A rollback rule that is breached, as the rules said it.
struct breach {
  std::string rule;
  instant true_since;
  std::string why;
  bool not_this_release = false;
  std::string unfit;                                  ///< why what the rule reads is no ground to act on; empty: it is one
  std::optional<config::mode> mode;                   ///< the rule's own
  std::function<bool()> still;                        ///< whether the rule is breached and its condition true at this instant
  std::function<bool()> withheld;                     ///< whether its `unless` is true now
  std::function<error_shares(instant since)> errors;  ///< who has them; null: no probe knows
  bool about_errors = false;                          ///< the rule reads a share of errors
  std::function<ailing()> shared;                     ///< what both slots share and is ill
  std::string by;                                     ///< the operator who asked for it; empty: a rule
};

/// What pages and metrics show of the deployment.
struct standing {
  std::string live;  ///< empty: not known yet
  std::string release;
  std::string stable;  ///< empty: no way back
  std::string stable_release;
  bool window_open = false;
  std::string front_door;  ///< what it answered last
  bool latched = false;
  std::string held;  ///< by whom, until when and why; empty: it is not
  bool rolling = false;
  config::mode mode = config::mode::observe;
};

/// Looks at the deployment, notices cutovers, and rolls back when a rule is breached and the guards allow it.
class control {
 public:
  using teller = std::function<void(event)>;
  static constexpr duration answer_limit = std::chrono::seconds(1);  ///< for one question to the front door or a slot

  control(asio::io_context& loop, const config::configuration& configured, net::network& through, store& kept, teller tell);
  ~control();

  /// The rules are to start anew at once, and to say again by `breached` what is breached by what happened since.
  std::function<void(instant)> on_cutover;
  std::function<void(bool)> on_window;
  /// After each look: the stable slot, where there is a way back.
  std::function<void(std::optional<std::size_t>)> on_way_back;
  /// After each look: which slots are up, by name ("live", "stable", "front_door" and each slot's own); nothing where that is not known.
  std::function<void(const std::string& name, std::optional<bool> up, instant asked, instant at)> on_slot;

  /// Reads what is remembered, and completes or undoes a rollback that was cut off. Before `watch`.
  asio::awaitable<void> start();
  /// Looks again and again until `stop`.
  asio::awaitable<void> watch();
  /// Ends `watch` after its present look; a rollback under way ends first.
  void stop();

  /// An operator's rollback: neither mode, window nor latch stands in its way, and a sick stable slot only without `force`. What came of
  /// it, or why it is refused.
  asio::awaitable<std::expected<std::string, std::string>> roll_back_for(std::string by, std::string reason, bool force);

  /// No automatic rollback acts until then, or until `unhold`; an operator's own may. Across restarts.
  void hold_for(const std::string& by, const std::string& reason, duration length);
  std::expected<std::string, std::string> unhold(const std::string& by);
  /// Lets what was rolled back once be rolled back again; while a rule is breached only where that is known.
  std::expected<std::string, std::string> unlatch(const std::string& by, bool in_spite_of_breach);

  void breached(breach b);
  void resolved(const std::string& rule);
  [[nodiscard]] standing stands() const;
  [[nodiscard]] rollback::nginx& nginx() { return nginx_; }

 private:
  /// A rollback that an operator waits for: it is carried out between two looks.
  struct order {
    explicit order(asio::io_context& loop) : answered(loop, asio::steady_timer::time_point::max()) {}
    std::string by;
    std::string reason;
    bool force = false;
    std::expected<std::string, std::string> answer = std::unexpected("the agent is ending");
    asio::steady_timer answered;
  };

  asio::awaitable<sighting> look();
  std::optional<wall_time> file_changed() const;
  std::optional<std::size_t> site_of() const;
  void take_in(const sighting& s);
  void update_window(instant now);
  asio::awaitable<void> try_breaches();
  asio::awaitable<bool> try_rollback(const breach& b);
  [[nodiscard]] bool may_begin(const std::string& rule, const placed& live, const placed& to);
  circumstances circumstances_of(const breach& b) const;
  void say_guard(const breach& b, const guard_answer& answer);
  asio::awaitable<std::expected<std::string, std::string>> roll_back(const breach& b, placed to, const std::string& blamed = {});
  asio::awaitable<blame> ask_blame(const breach& b, const placed& to);
  asio::awaitable<void> carry_out(order& given);
  asio::awaitable<std::expected<placed, std::string>> way_back_for(const order& given);
  std::string close(const breach& b, const placed& to, const placed& failed, const rollback::ending& end);
  asio::awaitable<void> finish_attempt(const attempt& cut_off);
  std::string undo_attempt(const attempt& cut_off, const std::string& why);
  asio::awaitable<void> let_go(std::string fact);
  [[nodiscard]] std::string held() const;
  asio::awaitable<void> remember();
  asio::awaitable<void> keep(std::string name, std::string value);
  [[nodiscard]] bool began_in_window(instant condition) const;
  [[nodiscard]] std::string name(std::size_t slot) const { return names_[slot]; }

  asio::io_context& loop_;
  const config::configuration& configured_;
  const config::deployment& terms_;
  net::network& through_;
  store& store_;
  teller tell_;
  std::vector<std::string> names_;
  tracker tracker_;
  rollback::nginx nginx_;
  asio::steady_timer pause_;
  task_group keeping_;  ///< what may be written late: a slow disk must not delay a look
  sighting last_;
  std::map<std::string, rollback::site_file> live_files_;  ///< as last seen
  std::optional<latch> latch_;
  std::optional<latch> failed_;  ///< the newest release that was rolled back, though the latch may be open again
  std::optional<hold> hold_;
  std::map<std::string, breach> breaches_;
  std::shared_ptr<order> order_;  ///< null: none waits
  std::set<std::string> said_;    ///< "rule/guard": each cause is said once
  bool window_open_ = false;
  bool rolling_ = false;
  bool stopping_ = false;
  bool unrecorded_said_ = false;
  instant remembered_at_{};
};

}  // namespace flipback::deployment
