#pragma once

#include "agent/deployment/present.hpp"
#include "agent/deployment/state.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Whether a rollback may begin, asked of everything that is so at one instant (semantics.md §4, "Guards").
namespace flipback::deployment {

/// Who answered. packaging/docs/rollback.md has a row for each.
enum class guard : std::uint8_t {
  none,
  live,
  condition,
  intent,
  elsewhere,
  way_back,
  window,
  latch,
  hold,
  ready,
  evidence,
  unless_rule,
  boot,
  stable,
  confirm,
  blame,
  short_window,
  mode,
  doubt,
  not_this_release,
  no_worse,
  failed_before,
  client,
  hang_ups,
  shared,
  memory,
  attempts
};
std::string_view name_of(guard g);

enum class stance : std::uint8_t {
  act,
  waits,    ///< something is being asked: it is weighed again when the answer is there
  blocked,  ///< asked again while the rule stays breached
  asks,     ///< a person decides: `flipback approve`
  tells     ///< nothing acts on this: a person is told what to type
};
/// The event that says it; empty where it acts.
std::string_view kind_of(stance s);
/// As the event's kind has it: "blocked" of `rollback.blocked`.
std::string_view name_of(stance s);

/// What has to be asked of the world before more can be said.
struct needs {
  bool stable = false;
  bool blame = false;
  bool ready = false;
};

struct weighed {
  stance is = stance::act;
  guard by = guard::none;
  std::string says;
  needs missing;
};

/// Whether this cause may act now. Of several obstacles the first in a fixed order answers: what blocks, what only tells, what must still
/// be asked, what a person decides.
weighed weigh(const state& s, const terms& by, const present& now, const cause& of);

/// Where a person's order leads: the way back, or, whatever is known of it, the other of two slots; nothing where that can't be told.
std::optional<placed> ordered_to(const state& s, const terms& by, const present& now);

/// Where what has this cause leads; nothing where that can't be told.
std::optional<placed> leads_to(const cause& of, const state& s, const terms& by, const present& now);

/// Whether the epoch, or the one that is remembered from before a restart, has it that users were on this slot, or that it is the way back.
bool was_seen_live(const tracking& t, slot_number slot);

/// Why it leads nowhere.
std::string nowhere_to_go(const present& now, const terms& by);

/// Whether a condition that began then may still act: it began in the window, and the window is open or is kept open by it.
bool in_window(const state& s, const terms& by, const present& now, const rule_now& rule);

/// Whether it is what is live now that was rolled back, wherever it ran then: a release is told by its own name.
bool is_of(const failure& f, const placed& live);
/// That it is not known whether a rule's `unless` withholds it, in words; empty where it is.
std::string text_of_unless(const rule_now& rule);
/// Whether that release was rolled back within 24 h, wherever it ran then, and releases can be told apart.
bool was_rolled_back_before(const state& s, const terms& by, const present& now, const placed& what);

std::string text_of(const hold& h);
/// "attempt 3 of error-rate failed at 14:03:05 UTC, next at 14:03:25 UTC".
std::string text_of(const failed_attempts& f, const moment& now);
bool is_held(const state& s, const moment& now);

}  // namespace flipback::deployment
