#pragma once

#include "agent/deployment/slots.hpp"
#include "agent/rollback/change.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

/// What the rollback's journal says, as plain values and as text. Pure.
namespace flipback::rollback {

/// A slot by its name, since the configuration's order may have changed when it is read, and the release that ran in it.
struct named_slot {
  std::string name;
  std::string release;

  friend bool operator==(const named_slot&, const named_slot&) = default;
};

/// What a rollback, or a flip, set out to do: enough to complete or undo it by looking at the world after a crash.
struct attempt {
  std::string id;
  named_slot from;  ///< what was live
  named_slot to;    ///< what is to be
  std::string rule;
  std::string why;  ///< the rule's sentence, or the operator's reason
  std::string by;   ///< who asked for it
  wall_time begun;
  std::vector<change> changes;  ///< all of it, in the order in which they are put
  bool flip = false;            ///< a person's cutover, and no rollback

  friend bool operator==(const attempt&, const attempt&) = default;
};

/// One thing that the journal says. `begun` is on disk before anything is changed, and `undoing` before anything is put back, unless the
/// disk takes neither; the others are written when it has happened, or is asked for, and nobody waits for them: after a crash the last of
/// them may be missing, and the files decide.
struct row {
  enum class kind : std::uint8_t {
    begun,      ///< says `of`; the first row, and only that
    put,        ///< `change` was put to `to`, or was not
    tested,     ///< what nginx's test of the candidate came to
    reloading,  ///< the reload is asked for
    reloaded,   ///< what the reloader said
    looked,     ///< what a look at the proofs came to
    undoing,    ///< what was put is put back, the last first
    ended       ///< it is over, and what it came to
  };
  std::uint64_t number = 0;  ///< 0 for `begun`, one more for each that follows
  kind is = kind::begun;
  attempt of;                                                 ///< of `begun`
  std::size_t change = 0;                                     ///< of `put` and `undoing`: its place in the attempt's changes
  end to = end::after;                                        ///< of `put` and `undoing`
  deployment::answer answer = deployment::answer::cant_tell;  ///< of all but `begun`
  std::string says;                                           ///< of all but `begun`; for people

  friend bool operator==(const row&, const row&) = default;
};

std::string_view name_of(row::kind kind);

/// One JSON object without line breaks. Bytes of any kind, in files and in texts, read back the same.
std::string to_text(const row& what);
/// An error is one sentence that names the key. A kind of row, or a version of the text, that this version doesn't know is an error: it is
/// never passed over.
std::expected<row, std::string> row_from(std::string_view text);

}  // namespace flipback::rollback
