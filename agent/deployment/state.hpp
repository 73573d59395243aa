#pragma once

#include "agent/deployment/blame.hpp"
#include "agent/deployment/tracker.hpp"
#include "agent/rollback/outcome.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// Everything that the decider knows. One value, handed over whole at a reload; what of it must outlast a restart is in facts.hpp, and
/// what becomes of each field there is written down in tests/agent/deployment/restart_fields_test.cpp.
namespace flipback::deployment {

/// An operator's word that no automatic rollback may act.
struct hold {
  std::string by;
  std::string reason;
  moment since;
  moment until;
  friend bool operator==(const hold&, const hold&) = default;
};

/// Shut by the first change of a rollback; opened by the next epoch, or by an operator.
struct latch {
  std::uint64_t epoch = 0;
  placed what;  ///< the release that was rolled back, or was to be
  std::string rule;
  moment shut;
  std::string became;  ///< what came of it: "rolled back", "tried at 14:03, undone: …"; empty: not known yet
  friend bool operator==(const latch&, const latch&) = default;
};

/// A release that Flipback rolled back, proven or not; never one whose rollback was undone.
struct failure {
  placed what;
  moment at;
  friend bool operator==(const failure&, const failure&) = default;
};

/// Why the switch is to be put to another slot: a rule that is breached, a person who approved of that, a person who orders a rollback, or
/// one who puts a slot live, which is no rollback.
struct cause {
  enum class kind : std::uint8_t { rule, approved, ordered, flip };
  kind is = kind::rule;
  std::string rule;    ///< of an order: "security"; of a flip: empty
  std::string by;      ///< the person, unless a rule alone
  std::string reason;  ///< the person's
  bool force = false;
  std::uint64_t verb = 0;  ///< the one that waits for an answer; 0: none
  moment since;
  slot_number to = 0;  ///< of a flip

  [[nodiscard]] bool flips() const { return is == kind::flip; }
  /// A person's own word: no rule and no known effect is needed for it.
  [[nodiscard]] bool is_an_order() const { return is == kind::ordered || is == kind::flip; }
};
/// "rollback" or "flip", as events and people call it.
std::string_view name_of(const cause& c);

/// A question to a person: may this rule roll back?
struct approval {
  std::string rule;
  moment asked;
  std::string says;
};

/// A rollback, or a flip, that has begun. What it does is the machine's; here is what was decided, and how far it may still be stopped.
struct attempt {
  enum class phase : std::uint8_t {
    preparing,  ///< the journal is written, nginx's configuration tested: nothing is changed
    prepared,   ///< it waits for leave
    stopped,    ///< leave was refused: it ends without having been tried
    changing    ///< the first change is made, or may be
  };
  std::string id;
  cause why;
  placed from;
  placed to;
  std::uint64_t epoch = 0;
  phase is = phase::preparing;
  moment begun;
  bool recovery = false;  ///< it was begun in an earlier life
  std::string blamed;     ///< whom asking both slots found to blame, in words
};

/// What the stable slot answered last when it was asked for a decision.
struct stable_health {
  std::uint64_t epoch = 0;
  slot_number slot = 0;
  instant asked{};
  bool well = false;
  std::string release;  ///< empty: not told
  std::string says;
  std::string unmet{};     ///< which of its checks it does not pass, in words; empty: it passes all
  bool not_asked = false;  ///< it could not be: nothing is known of it
};

/// How a breached rule stood at the step before.
struct stood {
  std::uint8_t is = 0;  ///< a `stance`
  std::string says;     ///< what was in its way
};

/// What asking both slots for what fails came to, of one breach.
struct blame_standing {
  std::uint64_t epoch = 0;
  instant condition{};  ///< when the breach's condition began
  instant asked{};      ///< the newest answer
  blame newest;         ///< with what all rounds before it say
  blame_evidence all;
  std::optional<instant> first_both_well;
};

/// Attempts of a rule's that failed one after the other, and changed nothing: the next one waits, twice as long each time.
struct failed_attempts {
  unsigned count = 0;
  moment newest;  ///< when the last of them ended
  std::string rule;
  std::string says;
  std::optional<instant> condition;  ///< since when what it was made for was true; nothing: in an earlier life, which counts for any
  friend bool operator==(const failed_attempts&, const failed_attempts&) = default;
};

/// How long after its end the next one waits: 5 s, and doubled each time, up to 5 min.
duration wait_after(const failed_attempts& f);

/// A rollback rule that was breached or pending.
struct trouble {
  moment last;                   ///< when it was so last
  std::optional<instant> since;  ///< since when its condition has been true; nothing: it is so no more
  duration bridged{};            ///< of that, what nothing is known of
  std::string meaning;           ///< of the rule, so that one that says something else by the same name is another
  friend bool operator==(const trouble&, const trouble&) = default;
};

/// What makes the decisions of an epoch more careful, and what the world would not show again: it is kept with the epoch.
struct doubts {
  std::set<std::string> not_this_release;   ///< rules whose condition was true before the cutover already
  std::set<std::string> withheld;           ///< rules whose `unless` was true when that was known last
  std::map<std::string, trouble> troubled;  ///< by the rule's name
  std::optional<moment> mark;               ///< the newest mark (`mark_of`) that an earlier life set, of whichever rule
  std::optional<failed_attempts> failed;    ///< else a restart would begin at once with what has failed
  friend bool operator==(const doubts&, const doubts&) = default;
};

/// Something that a rollback would lack.
struct lack {
  bool blocking = false;  ///< no rollback can be carried out, or none may rest on what is seen
  std::string what;       ///< one sentence
  std::string type;       ///< what to do about it; empty where the sentence says it
  bool stops_a_switch =
      false;  ///< nobody could switch, whoever asks for it: it is not about rules alone, nor what a switch may mend itself
  friend bool operator==(const lack&, const lack&) = default;
};

/// With what to type.
std::string text_of(const lack& l);

struct known_readiness {
  instant looked{};
  std::vector<lack> lacks;
  std::vector<std::string> notes{};  ///< what a person should know, and nothing lacks
};

struct state {
  tracking track;
  std::optional<deployment::hold> held;
  std::optional<deployment::latch> latched;
  std::vector<failure> failures;  ///< of the last 24 h
  deployment::doubts in_doubt;
  std::optional<deployment::attempt> under_way;
  std::optional<std::string> closing;         ///< an attempt that has ended, and that the journal is to forget once what came of it is kept
  std::optional<cause> order;                 ///< a person's that waits for answers before it can begin
  std::optional<placed> left_by_flip;         ///< what was live before a flip that is not proven, until it is seen which slot users reach
  std::map<std::string, approval> questions;  ///< by rule
  std::optional<stable_health> stable;
  std::map<std::string, blame_standing> blames;  ///< by rule
  std::optional<instant> both_failed;            ///< when both slots failed alike last, whichever rule it was asked for
  std::optional<known_readiness> ready;
  std::set<std::string> unreadable;             ///< facts that could not be read at the start: until the next cutover a person decides
  std::map<std::string, std::string> unstored;  ///< facts that could not be stored, and why

  std::optional<instant> started;  ///< when this life of the agent began

  // What is being asked or awaited, and what has been said.
  std::optional<instant> asking_stable;
  std::map<std::string, instant> asking_blame;  ///< by rule
  std::optional<instant> asking_ready;
  struct answer_to_come {
    std::uint64_t serial = 0;  ///< of the `keep` that it waits for
    std::uint64_t verb = 0;
    std::string text;
  };
  std::map<std::string, std::vector<answer_to_come>> when_stored;  ///< by fact
  std::uint64_t keeps = 0;                                         ///< counts what was given to be kept
  std::uint64_t verbs = 0;                                         ///< counts what people asked: each has a number of its own
  std::set<std::string> said;                                      ///< "rule/guard:stance": each cause is said once a breach
  std::map<std::string, instant> breaches;  ///< rule → since when its condition is true: another time is another breach
  std::map<std::string, stood> last;        ///< rule → the stance at the step before
  std::set<std::string> lacks_said;
  std::optional<instant> seen_kept;         ///< when the epoch was handed to the store last
  std::optional<instant> not_again_before;  ///< after an attempt that was stopped
  bool window_was_open = false;
};

}  // namespace flipback::deployment
