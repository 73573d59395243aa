#pragma once

#include "flipback/event.hpp"

#include "agent/deployment/state.hpp"
#include "agent/deployment/terms.hpp"
#include "agent/rollback/journal.hpp"
#include "agent/rollback/machine.hpp"
#include "agent/rollback/nginx.hpp"
#include "agent/rollback/slot_switch.hpp"
#include "agent/task_group.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace flipback::rollback {

/// What a proof asks of the outside: the front door by a question that can be found again in the log, and a slot directly.
class prober {
 public:
  virtual ~prober() = default;
  struct asked {
    deployment::reply door;
    bool logged = false;              ///< the log has our line: then the rest is known
    bool by_cache = false;            ///< logged, and no upstream was asked
    std::optional<slot_number> slot;  ///< whose upstream answered last; nothing: an upstream of no slot, or a cache
    std::optional<pid_t> worker;      ///< that wrote it, where the log says
    unsigned upstream_status = 0;
    std::set<slot_number> users;  ///< the slots that answered users' requests which began with our question, or after it
  };
  virtual asio::awaitable<asked> ask() = 0;
  virtual asio::awaitable<deployment::slot_reply> ask_slot(slot_number which) = 0;
};

/// Performs what the machine says, one action after the other. Decides nothing.
class shell {
 public:
  struct terms {
    std::vector<std::string> slots;
    unsigned prove = 3;
    duration prove_within = std::chrono::seconds(10);
  };
  struct outside {
    slot_switch& by;
    nginx& operated;
    journal& written;
    prober& proofs;
  };
  struct listener {
    std::function<void(std::string refused)> prepared;  ///< why nginx refuses its configuration as it is; empty: it does not
    std::function<void()> changed;
    std::function<void(event)> tell;
  };

  shell(asio::io_context& loop, terms by, outside of);

  /// From the first row of the journal to the end; nothing where the agent ends before the proof, which is then the next start's. One at a
  /// time. `known`: what the slots say of themselves.
  asio::awaitable<std::optional<ending>> carry_out(deployment::attempt what, const deployment::tracking& known, listener to);
  void leave(const std::string& id);
  void stop(const std::string& id, const std::string& why);
  /// The agent ends: leave is no longer waited for, a proof neither, and for a test, a reload or a command five seconds more.
  void hurry();
  /// Makes room for a rollback to that slot, beside the live files at once and then in the journal, so that a full disk does not stop it;
  /// nothing: gives the room beside the files back. Not while an attempt is under way. An error is why the journal has none.
  asio::awaitable<std::expected<void, std::string>> stage(std::optional<slot_number> to);
  /// Once what the attempt's files said before is kept; an error is why that, or the forgetting, could not be done now.
  asio::awaitable<std::expected<void, std::string>> forget(std::string id);
  /// See `journal`.
  [[nodiscard]] std::string kept() const { return of_.written.kept(); }
  [[nodiscard]] std::string newly_kept() { return of_.written.newly_kept(); }

  /// The attempt that the journal has open, as an earlier life left it; an error: the journal can't be read.
  std::expected<std::optional<deployment::attempt>, std::string> cut_off(const std::vector<std::string>& slots);

 private:
  struct carrying;
  asio::awaitable<std::optional<happening>> perform(carrying& c, action a);
  /// Nothing: the agent ends, and has waited for it long enough.
  template <typename T>
  asio::awaitable<std::optional<T>> with_patience(asio::awaitable<T> what);
  asio::awaitable<proof_look> look(carrying& c, look_for_proof how);
  /// Also learns by what the two slots are known.
  asio::awaitable<struct cut_off> look_at_what_was_cut_off(plan& of);
  asio::awaitable<happening> wait_for_leave();
  void end_soon();
  asio::awaitable<void> write_late(row what);
  asio::awaitable<std::expected<void, std::string>> make_room(std::size_t bytes);
  std::expected<plan, std::string> plan_of(const deployment::attempt& what, const deployment::tracking& known);

  asio::io_context& loop_;
  terms terms_;
  outside of_;
  asio::steady_timer leave_timer_;
  std::string running_;             ///< the attempt under way
  std::optional<happening> given_;  ///< leave, or stop
  bool hurrying_ = false;
  asio::steady_timer patience_;
  asio::cancellation_signal out_of_patience_;
  std::optional<attempt> found_;  ///< what the journal had open at the start
  std::uint64_t rows_found_ = 0;
  bool undo_was_begun_ = false;
  std::optional<ended_before> ended_before_;
  task_group late_;  ///< rows that nobody waits for
};

}  // namespace flipback::rollback
