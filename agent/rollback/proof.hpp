#pragma once

#include "agent/deployment/sighting.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>

/// Whether users reach a slot, told from looks at nginx's workers, its logs and the front door. Pure.
namespace flipback::rollback {

using deployment::answer;
using deployment::slot_number;

/// The line of our own question in nginx's access log.
struct own_line {
  std::optional<slot_number> slot;           ///< whose upstream answered last; nothing: an upstream of no slot
  answer by_new_worker = answer::cant_tell;  ///< whether a worker wrote it that was started after the reload
  unsigned upstream_status = 0;
};

/// One look while a proof is waited for.
struct proof_look {
  instant at;
  std::string emerg;                             ///< what this master has logged as `emerg` since the reload; empty: nothing
  answer new_workers = answer::cant_tell;        ///< whether a worker accepts that was not there before
  answer old_gone = answer::cant_tell;           ///< whether no worker accepts any more that was there before
  std::optional<deployment::reply> door;         ///< the front door's answer, where it was asked
  std::optional<own_line> line;                  ///< of that question, where the log has it
  bool by_cache = false;                         ///< the log has it that no upstream was asked
  std::set<slot_number> users;                   ///< the slots that answered users who came with that question, or after it
  deployment::intent names;                      ///< what the switch names, read at the end of the look
  std::optional<deployment::slot_reply> direct;  ///< the expected slot, asked directly, where the front door answered 5xx
};

/// What is to be proven.
struct claim {
  slot_number slot = 0;   ///< that users reach it
  slot_number other = 0;  ///< the one that they reached before
  std::string name = "the slot";
  std::string other_name = "the slot that was left";
  std::string identity;  ///< of the slot; empty: its answers don't tell it from the other's, or the front door gave them before already
  std::string other_identity;
  unsigned witnesses = 3;  ///< in a row
  duration within = std::chrono::seconds(10);
  bool new_workers_needed = true;  ///< a reload was asked for
  bool failed_before = false;      ///< the question had 5xx in the minute before
  bool may_fail = false;           ///< the slot is known to be sick: a 5xx that the log says is its own shows that users reach it
};

/// A proof while it is being gathered: add looks until `is` is no longer open.
class proof {
 public:
  enum class standing : std::uint8_t { open, yes, no, cant_tell };

  proof(claim what, instant began) : claim_(std::move(what)), began_(began) {}

  void add(const proof_look& look);
  /// At the time limit, whatever has come.
  void end();

  [[nodiscard]] standing is() const { return is_; }
  [[nodiscard]] const std::string& says() const { return says_; }
  /// Whether the next look should ask the front door: not before a new worker could answer.
  [[nodiscard]] bool ask_next() const { return ask_next_; }
  [[nodiscard]] instant limit() const { return began_ + claim_.within; }
  /// The slot that the newest look's witness named.
  [[nodiscard]] std::optional<slot_number> reached() const { return reached_; }
  [[nodiscard]] const claim& of() const { return claim_; }
  /// Whether it ended since nginx's workers could be seen, and none was new: it has read nothing, and has complained of nothing.
  [[nodiscard]] bool saw_no_new_workers() const { return no_new_workers_; }

 private:
  void close(standing as, std::string says);
  void take_witness(const proof_look& look);

  claim claim_;
  instant began_;
  standing is_ = standing::open;
  std::string says_;
  std::string newest_;  ///< what the front door answered last; empty: it was not asked
  std::string by_;      ///< how it was known who answered last
  std::optional<slot_number> reached_;
  bool silent_ = false;  ///< the front door gave no answer to the newest question
  unsigned in_a_row_ = 0;
  instant row_began_;                ///< when the first of them was seen
  unsigned elsewhere_in_a_row_ = 0;  ///< questions of ours that new workers passed to the other slot
  unsigned failing_in_a_row_ = 0;
  bool ask_next_ = false;
  bool saw_new_ = false;
  bool saw_workers_ = false;
  bool old_gone_ = false;
  bool no_new_workers_ = false;
};

}  // namespace flipback::rollback
