#pragma once

#include "flipback/event.hpp"

#include "agent/rollback/journal_row.hpp"
#include "agent/rollback/outcome.hpp"
#include "agent/rollback/proof.hpp"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// Carries a rollback out, as a pure step function: events in, actions out. A shell performs the actions; a test or the simulator does the
/// same in a world of its own. Where it stands after a crash follows from what the files say, not from what was believed: no row of the
/// journal but the first, and the one before an undo, is waited for.
namespace flipback::rollback {

/// What is to be done, and what it rests on.
struct plan {
  attempt of;           ///< with the changes, as the journal keeps it
  claim forward;        ///< what is proven after the install
  claim back;           ///< what is proven after an undo
  bool reloads = true;  ///< the switch takes effect by a reload
};

/// How an attempt ended of which the journal says so: only what came of it was not kept.
struct ended_before {
  bool proven = false;   ///< rolled back
  bool changed = false;  ///< it had put a change, or reloaded
};

/// How an attempt that was cut off stands: looked at before anything is done.
struct cut_off {
  std::vector<change_state> changes;
  std::uint64_t rows = 1;             ///< how many rows the journal has of it: the next one's number
  bool undo_begun = false;            ///< the journal says so
  std::optional<ended_before> ended;  ///< what stands there now is what whoever came after it has made of it: nothing is changed
  deployment::intent names;           ///< what the switch names now
  bool stable_is_well = false;
  bool stable_has_release = true;  ///< false: it is known to have another
  std::string stable_says;
};

// What happens.

struct start {
  instant at;
};
struct start_over {  ///< after a crash
  instant at;
  cut_off found;
};
struct written {  ///< the row that was waited for; a `trouble` where it is not on disk
  std::string trouble;
};
struct tested {
  answer is = answer::cant_tell;
  std::string says;
  duration took{};
  deployment::intent names;  ///< what the switch names after it
};
struct leave {
  instant at;
  deployment::intent names;  ///< what the switch names at that instant
};
struct stop {
  std::string why;
};
struct put_done {
  put_result how;
  deployment::intent names;  ///< what the switch names after it
};
struct reloaded {
  answer is = answer::cant_tell;
  std::string says;
  instant at;
};
struct proof_looked {
  proof_look seen;
};
using happening = std::variant<start, start_over, written, tested, leave, stop, put_done, reloaded, proof_looked>;

// What is to be done. One action that is answered by a happening is under way at a time.

struct write_row {
  row what;
  bool awaited = false;
};
struct run_test {};
struct ask_leave {
  std::string refused;  ///< why nginx refuses its configuration as it is; empty: it does not, or that can't be told
};
struct put_change {
  std::size_t change = 0;
  end to = end::after;
};
/// Remembers nginx's workers and the end of its error log: what is seen later is held against it.
struct mark_nginx {};
struct reload_nginx {};
struct look_for_proof {
  bool ask = false;          ///< ask the front door, with a fresh question
  duration in{};             ///< how long to wait before
  slot_number expected = 0;  ///< the slot to ask directly where the front door answers 5xx
};
/// The first change is made, or may be.
struct tell_changed {};
struct tell_step {
  event what;
};
struct finish {
  ending how;
};
using action =
    std::variant<write_row, run_test, ask_leave, put_change, mark_nginx, reload_nginx, look_for_proof, tell_changed, tell_step, finish>;

struct machine_state {
  enum class phase : std::uint8_t {
    idle,
    journaling,
    preflight,
    waiting,
    putting,
    testing,
    reloading,
    proving,
    confirming,  ///< it had been proven and had ended when the agent did
    undo_journaling,
    undoing,
    undo_testing,
    undo_reloading,
    undo_proving,
    looking_whether_they_came,    ///< of an undo by a command that is not proven: whether users are on the stable slot after all
    looking_whether_they_stayed,  ///< a command was in vain: whether users are still on the slot that failed
    looking_who_is_reached,       ///< nginx refuses its configuration: the files are put to the slot that users reach
    following_users,
    unmixing,  ///< the switch can't be put back: the files come to say one thing
    over
  };
  phase is = phase::idle;
  std::uint64_t rows = 0;
  std::vector<bool> put;     ///< which changes are, or may be, at their `after`
  bool still_runs = false;   ///< a command that was put has not ended: what the switch names is not yet what it will
  bool in_vain = false;      ///< a command that was put has ended, and the switch does not name what it was to: users tell what it did
  std::vector<bool> untold;  ///< after a crash: of which of them it can't be told; they are put wherever the others are
  std::size_t next = 0;      ///< the change that is being put
  bool changed = false;
  bool put_back = false;      ///< an undo has changed something
  bool reload_asked = false;  ///< nginx may have read what was installed
  bool unread = false;        ///< nginx was asked to, and has started no new workers: it has read nothing
  bool recovery = false;
  bool foreign = false;                    ///< somebody else changed what the switch says
  deployment::intent names;                ///< what the switch named at the newest look
  answer good_before = answer::cant_tell;  ///< nginx's own test before anything was changed
  duration test_took{};
  instant leave_at{};
  instant now{};
  std::optional<proof> gathering;
  bool first_look = false;  ///< the proof's time begins with its first look: what came before it may have taken any time
  bool guessed = false;     ///< it can't be told whom users reach: whether nginx takes the files as they were decides
  std::string why_undone;
  std::string trouble;  ///< what went wrong on the way, to be said at the end
  bool unrecorded = false;
};

struct machine_stepped {
  machine_state after;
  std::vector<action> actions;
};

machine_stepped step(machine_state before, const plan& of, const happening& what);

}  // namespace flipback::rollback
