#pragma once

#include "flipback/error_shares.hpp"

#include "agent/deployment/blame.hpp"
#include "agent/deployment/facts.hpp"
#include "agent/deployment/sighting.hpp"
#include "agent/deployment/state.hpp"

#include <boost/asio/awaitable.hpp>

#include <vector>

namespace flipback::deployment {

namespace asio = boost::asio;

/// What the acting part asks of the outside. Every answer that takes time comes back to the decider as an event of its own; nobody waits
/// for one in the middle of a decision.
class world {
 public:
  virtual ~world() = default;

  [[nodiscard]] virtual clocks now() = 0;
  /// The slot that the switch names, read in this call.
  [[nodiscard]] virtual intent names() = 0;
  /// Looks at the front door, the slots, the log and the workers, all at once. `fresh`: with a question that no cache has answered before.
  virtual asio::awaitable<sighting> look(bool fresh) = 0;
  virtual asio::awaitable<slot_reply> ask_slot(slot_number which) = 0;
  /// Asks both slots for what fails.
  virtual asio::awaitable<blame> ask_blame(slot_number live, slot_number stable, error_shares errors) = 0;
  /// Tries all that a rollback to or from any slot would need, leaving no trace.
  virtual asio::awaitable<known_readiness> look_ready() = 0;
};

/// What the acting part asks of the rules, at one instant.
class rule_book {
 public:
  virtual ~rule_book() = default;

  /// The rollback rules that are breached or pending now. `s` says from when a rule's short window must lie wholly (`mark_of`).
  [[nodiscard]] virtual std::vector<rule_now> rules_now(const state& s) = 0;
  /// The rollback rules whose condition was true before the cutover already, of another release: whatever they say now.
  [[nodiscard]] virtual std::vector<std::string> not_this_release() = 0;
  /// Asks the slot which of its checks it does not pass, in words; empty: it passes all.
  virtual asio::awaitable<std::string> unmet_check(slot_number of) = 0;
  /// What the errors of a rule have in common that came since then.
  [[nodiscard]] virtual error_shares errors_of(const std::string& rule, instant since) = 0;
  /// Rollback rules start empty from then on, at once.
  virtual void start_anew(const start_rules_anew& how) = 0;
  virtual void window(bool open) = 0;
  /// A step was taken. Holds and latches are none of the rules' business, but of their record.
  virtual void follow(const state& s) = 0;
};

}  // namespace flipback::deployment
