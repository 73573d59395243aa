#pragma once

#include "agent/deployment/present.hpp"
#include "agent/deployment/state.hpp"
#include "agent/deployment/terms.hpp"
#include "agent/deployment/world.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::deployment {

/// One of the things that a rollback needs, as a drill has found it.
struct rehearsed {
  std::string_view what;  ///< "ready"
  answer is = answer::cant_tell;
  std::string says;
  duration took{};
};

/// What came of a drill.
struct drilled {
  std::optional<placed> to;  ///< where a rollback would lead; nothing: nowhere
  std::vector<rehearsed> steps;
  std::string rule;  ///< what a rule that is breached now would come to, in words
  answer is = answer::cant_tell;
  std::string says;  ///< the sum, one sentence
};

/// Rehearses a rollback by a person, from the way back to the proof, all but the change: whether nginx could be switched, whether the slot
/// that it would lead to is well, `confirm` times in a row, and whether witnesses show which slot users reach, so that a rollback could be
/// proven. Asks what a rollback asks, with the same limits; decides nothing, and changes nothing, not even the journal.
class drill {
 public:
  /// All that is passed must outlive it; `s` is the decider's state as it is at each moment.
  drill(asio::io_context& loop, world& seen, rule_book& rules, const terms& by, const state& s);

  asio::awaitable<drilled> run(present now);
  /// To be told each look while it runs; they are to be fresh.
  void see(const sighting& seen);
  /// The agent ends, or reads its configuration anew: no more is asked.
  void end();

 private:
  asio::awaitable<rehearsed> ready();
  asio::awaitable<rehearsed> is_well(const placed& to);
  asio::awaitable<rehearsed> witnesses();

  asio::steady_timer pause_;
  world& seen_;
  rule_book& rules_;
  const terms& by_;
  const state& s_;
  bool ended_ = false;
  bool looking_ = false;  ///< for witnesses
  unsigned in_a_row_ = 0;
  std::string otherwise_;  ///< why the newest look is no witness of the slot that the switch names
  bool elsewhere_ = false;
};

}  // namespace flipback::deployment
