#pragma once

#include "flipback/event.hpp"

#include "agent/deployment/guards.hpp"
#include "agent/deployment/present.hpp"
#include "agent/deployment/state.hpp"

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// Decides whether to act: a pure step function. What it asks of the world comes back as an event; nothing is awaited in the middle of a
/// decision, and nothing that was true a step ago is taken for true now.
namespace flipback::deployment {

// What happens.

/// What an earlier life left: read once, at the start, before anything else.
struct started {
  std::optional<recollection> recalled;
  std::vector<departure> departures;
  std::optional<hold> held;
  std::optional<latch> latched;
  std::vector<failure> failures;
  doubts in_doubt{};
  std::vector<std::pair<std::string, std::string>> unreadable;  ///< facts that could not be read, and why
  std::optional<attempt> cut_off;                               ///< a rollback that the journal has open
  std::optional<std::string> closing{};                         ///< one that has ended, whose journal is not closed yet
};
struct looked {
  sighting seen;
};
/// The rules have something else to say, or time has gone by: weigh anew.
struct judged {};
struct stable_answered {
  stable_health found;
};
struct blame_answered {
  std::string rule;
  std::uint64_t epoch = 0;
  instant condition;
  instant asked;
  blame found;
};
struct ready_looked {
  known_readiness found;
};
/// The machine has done all that changes nothing, and asks for leave.
struct prepared {
  std::string id;
  std::string refused;  ///< why nginx refuses its configuration as it is; empty: it does not, or that can't be told
};
/// The machine's first change is made, or may be.
struct changed {
  std::string id;
};
struct ended {
  std::string id;
  rollback::ending how;
};
/// The journal has forgotten the attempt.
struct journal_closed {
  std::string id;
};
/// The configuration is about to be read again, which waits for a rollback under way: one that has changed nothing yet is put off.
struct pausing {
  std::string why;
};
/// What became of a fact that was to be kept or forgotten; an empty `trouble`: it is on disk.
struct stored {
  std::string fact;
  std::string trouble;
  std::uint64_t serial = std::numeric_limits<std::uint64_t>::max();  ///< of the newest `keep` that this speaks of; 0: of none
};
/// What a person asks.
struct verb {
  enum class kind : std::uint8_t { rollback, approve, hold, unhold, unlatch, window_open, window_close, flip };
  std::uint64_t id = 0;
  kind is = kind::rollback;
  std::string by;
  std::string reason;
  std::string rule;                 ///< of `approve`: which question; empty: the only one
  std::optional<slot_number> slot;  ///< of `window_open`: the stable one; of `flip`: the one to be live
  duration length{};                ///< of `hold`
  bool sure = false;                ///< --force, --yes
};
using happening = std::variant<started, looked, judged, stable_answered, blame_answered, ready_looked, prepared, changed, ended,
                               journal_closed, pausing, stored, verb>;

// What is to be done.

struct say {
  event what;
};
/// Rollback rules start empty from that time on: what was so before it is never held against what is live now. To be done before any other
/// action of the step. `forgive`: what the rules saw before was rolled back, and is no ground to doubt a breach of what follows.
struct start_rules_anew {
  instant at;
  bool forgive = false;
  bool recalled = false;                   ///< an earlier life has seen it begin: nothing of what was live before it has come to this one
  std::map<std::string, trouble> known{};  ///< what that life saw of the rules since then
};
struct tell_window {
  bool open = false;
};
struct ask_stable {
  std::uint64_t epoch = 0;
  slot_number slot = 0;
};
struct ask_blame {
  std::string rule;
  std::uint64_t epoch = 0;
  instant condition;
  slot_number live = 0;
  slot_number stable = 0;
};
struct ask_ready {};
struct begin_rollback {
  attempt what;
};
struct give_leave {
  std::string id;
};
struct stop_rollback {
  std::string id;
  std::string why;
};
/// The journal may forget the attempt: what came of it is kept elsewhere.
struct close_journal {
  std::string id;
};
/// Facts that must outlast the process; see facts.hpp.
enum class fact : std::uint8_t { epoch, hold, latch, failures };
std::string_view name_of(fact f);
struct keep {
  fact what;
  std::uint64_t serial = 0;
};
struct answer_verb {
  std::uint64_t id = 0;
  bool done = false;
  std::string text;  ///< whole sentences, without a line's end
};
/// Makes room for a rollback to this slot, or gives it back.
struct stage_for {
  std::optional<slot_number> slot;
};
struct look_at_once {};
using action = std::variant<start_rules_anew, say, tell_window, ask_stable, ask_blame, ask_ready, begin_rollback, give_leave, stop_rollback,
                            close_journal, keep, answer_verb, stage_for, look_at_once>;

struct stepped {
  state after;
  std::vector<action> actions;  ///< in the order in which they are to be done
};

/// One step. `now` is what is so at this instant.
stepped step(state before, const terms& by, const present& now, const happening& what);

/// From when a rule's short window must lie wholly, for `rule_now::above_since_mark`: the breach's first "both well", the last "both
/// fail", whichever rule it was asked for, or when the stable slot itself was sick last; the latest of them, or what an earlier life knew
/// of them. Nothing: there is no mark.
std::optional<instant> mark_of(const state& s, const std::string& rule, instant condition);

}  // namespace flipback::deployment
