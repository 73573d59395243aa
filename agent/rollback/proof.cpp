#include "agent/rollback/proof.hpp"

#include <fmt/format.h>

#include <utility>

namespace flipback::rollback {

namespace {

using deployment::reply;

/// nginx's old workers accept for 100 ms more after a reload has returned; where it can't be seen that they are gone, a row of answers
/// from the new ones by chance is to be no proof.
constexpr duration old_workers_linger = std::chrono::milliseconds(250);

/// What the front door answered, in words.
std::string answer_of(const reply& door) {
  if (door.is == reply::kind::silent) return fmt::format("the front door did not answer ({})", door.says);
  if (door.is == reply::kind::identified) return fmt::format("the front door's newest answer ({} as {})", door.status, door.identity);
  return fmt::format("the front door's newest answer ({})", door.status);
}

}  // namespace

void proof::close(standing as, std::string says) {
  if (is_ != standing::open) return;
  is_ = as;
  says_ = std::move(says);
}

void proof::add(const proof_look& look) {
  if (is_ != standing::open) return;
  if (!look.emerg.empty()) return close(standing::no, fmt::format("nginx has said: {}", look.emerg));
  if (claim_.new_workers_needed) {
    saw_workers_ = saw_workers_ || look.new_workers != answer::cant_tell;
    saw_new_ = saw_new_ || look.new_workers == answer::yes;
    if (look.old_gone != answer::cant_tell) old_gone_ = look.old_gone == answer::yes;
  }
  if (look.door) silent_ = look.door->is == reply::kind::silent;
  take_witness(look);
  // Until the old workers are gone, users may still be passed to the other slot, whoever answers us.
  const bool settled = !claim_.new_workers_needed || !saw_workers_ || (saw_new_ && old_gone_);
  if (!settled) in_a_row_ = 0;
  ask_next_ = !claim_.new_workers_needed || !saw_workers_ || saw_new_;
  if (is_ != standing::open || in_a_row_ < claim_.witnesses) return;
  if (!saw_workers_ && look.at - row_began_ < old_workers_linger) return;
  const std::string fresh = fmt::format("{} fresh answers in a row came from {}, {}", in_a_row_, claim_.name, by_);
  if (claim_.new_workers_needed && !saw_workers_)
    return close(standing::cant_tell, fmt::format("{}, but nginx's workers can't be seen from here", fresh));
  close(standing::yes, fresh);
}

/// Who answered our question, if that can be told. Identity may say yes and never no, since a cache may answer; the log is nginx's own
/// word.
void proof::take_witness(const proof_look& look) {
  if (!look.door) return;
  const bool told = look.door->is == reply::kind::identified && !claim_.identity.empty();
  const bool by_identity = told && look.door->identity == claim_.identity && claim_.identity != claim_.other_identity;
  const bool ours = look.line && look.line->slot;
  std::optional<slot_number> from = ours ? look.line->slot : std::nullopt;
  // Where a cache has answered us, or our question is not logged, users' requests tell.
  if (!ours && look.users.contains(claim_.slot)) from = claim_.slot;
  if (!ours && look.users.contains(claim_.other)) from = claim_.other;
  // What passes users on behind nginx has one address for all slots: there the log tells nothing, and identity may.
  const bool log_tells = from.has_value();
  newest_ = answer_of(*look.door);
  by_ = fmt::format("{}; the newest was {}",
                    ours   ? std::string("as nginx's access log says")
                    : from ? std::string("as nginx's access log says of users' requests")
                           : fmt::format("as their identity {} says", claim_.identity),
                    look.door->status == 0 ? std::string("none that came in time") : fmt::format("{}", look.door->status));
  if (log_tells && from == claim_.other) {
    reached_ = from;
    in_a_row_ = 0;
    failing_in_a_row_ = 0;
    // One such answer may be a weight's or a split_clients' doing; where both slots answer by turns, nothing is proven and nothing undone.
    if (ours && look.line->by_new_worker == answer::yes && ++elsewhere_in_a_row_ >= claim_.witnesses)
      close(standing::no, fmt::format("nginx's access log says that new workers passed {} questions of ours in a row to {}",
                                      elsewhere_in_a_row_, claim_.other_name));
    return;
  }
  if (look.line && !from && !by_identity) reached_.reset();  // an upstream of no slot answered: whoever was reached, it is so no more
  if (look.by_cache && !from) {                              // it tells nothing, and breaks no row
    if (look.door->is == reply::kind::failing) in_a_row_ = 0;
    return;
  }
  if (log_tells) elsewhere_in_a_row_ = 0;
  const bool at_slot = log_tells ? from == claim_.slot : by_identity;
  const bool fails = log_tells ? ours && at_slot && look.line->upstream_status >= 500
                               : look.door->is == reply::kind::failing && look.direct && look.direct->self.is == reply::kind::failing;
  if (fails && !(claim_.may_fail && log_tells)) {
    in_a_row_ = 0;
    if (log_tells) reached_ = claim_.slot;
    if (++failing_in_a_row_ >= claim_.witnesses && !claim_.failed_before && !claim_.may_fail)
      close(standing::no, fmt::format("{} itself fails (it answers {}), and the same question did not fail in the minute before",
                                      claim_.name, log_tells ? look.line->upstream_status : look.direct->self.status));
    return;
  }
  failing_in_a_row_ = 0;
  if (!at_slot) {
    in_a_row_ = 0;
    return;
  }
  reached_ = claim_.slot;
  if (in_a_row_++ == 0) row_began_ = look.at;
}

void proof::end() {
  if (is_ != standing::open) return;
  no_new_workers_ = claim_.new_workers_needed && saw_workers_ && !saw_new_;
  if (no_new_workers_) return close(standing::no, "nginx started no new workers");
  const std::string newest = newest_.empty() ? std::string("the front door was not asked") : newest_;
  if (claim_.new_workers_needed && saw_workers_ && !old_gone_)
    return close(standing::cant_tell, fmt::format("old workers still accept connections; {}", newest));
  if (reached_ == claim_.other)
    return close(standing::cant_tell,
                 fmt::format("the newest answer that told its slot came from {}, and {} tells none", claim_.other_name, newest));
  if (in_a_row_ >= claim_.witnesses)
    return close(standing::cant_tell, fmt::format("{} fresh answers in a row came from {}, {}, but for less than {} ms", in_a_row_,
                                                  claim_.name, by_, old_workers_linger / std::chrono::milliseconds(1)));
  if (in_a_row_ > 0)
    return close(standing::cant_tell,
                 fmt::format("only {} of {} fresh answers in a row came from {}, {}", in_a_row_, claim_.witnesses, claim_.name, by_));
  if (failing_in_a_row_ > 0) return close(standing::cant_tell, fmt::format("{} is a failure, as {}'s own are", newest, claim_.name));
  if (newest_.empty() || silent_)
    return close(standing::cant_tell, fmt::format("{}, so that it can't be told which slot users reach", newest));
  close(standing::cant_tell, fmt::format("{} does not tell which slot gave it", newest));
}

}  // namespace flipback::rollback
