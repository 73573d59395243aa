#pragma once

#include "flipback/error_shares.hpp"
#include "flipback/units.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

/// Whether a release is to blame for the errors that users get (semantics.md §4, "Blame"). Nothing here does I/O.
namespace flipback::deployment {

/// A request that failed on the live slot, to be asked of both slots.
struct question {
  std::string method;
  std::string target;     ///< with the query, which no text shows
  unsigned user_got = 0;  ///< the status
  double waited = 0;      ///< by the user, in seconds; 0 where that is not known
};

inline constexpr std::size_t most_questions = 8;
inline constexpr std::size_t least_paths = 3;
inline constexpr duration asked_for = std::chrono::seconds(1);  ///< a slot has as long for an answer

/// Up to 8 of the requests, drawn by chance from those that change nothing (GET and HEAD) and can be sent again; of at least 3 paths where
/// there are.
std::vector<question> questions_from(const std::vector<failed_request>& failed, std::mt19937& chance);

/// What one slot did with a question.
struct slot_did {
  enum class kind : std::uint8_t {
    nothing,  ///< it could not be asked: we had no descriptors, no name server
    failed,   ///< no answer, or none that could be understood
    slow,     ///< no answer in the time that we gave it: it fails the user only if the user waited as long
    answered  ///< with `status`; 0: with one that was too long to read
  };
  kind is = kind::nothing;
  unsigned status = 0;
};

struct tried {
  question of;
  slot_did live;
  slot_did stable;
};

struct blame {
  enum class kind : std::uint8_t {
    cant_tell,         ///< too few answers, or they don't speak for the errors
    unsure,            ///< the slots differ, and chance may do as much: more has to be asked
    release_to_blame,  ///< live fails what stable does well
    both_fail,         ///< at least half of them fail on both, or each fails what the other does well: a flip would not help
    both_well          ///< it is over, or not to be reproduced
  };
  kind is = kind::cant_tell;
  std::string says;           ///< one sentence without any query
  unsigned live_alone = 0;    ///< questions that the live slot failed and the stable one did well
  unsigned stable_alone = 0;  ///< the other way round
};

/// What one round of questions says: never `release_to_blame`, since slots that fail alike differ by chance. `safe_share`: of the errors,
/// those of GET and HEAD; 0 to 1. The questions speak for the errors only where that is at least a half. A 4xx that the user did not get
/// (who was logged in, for instance) is no answer.
blame judge(const std::vector<tried>& all, double safe_share);

/// Whether the live slot alone fails more than chance does, over all rounds of one breach. Of slots that fail alike each is as likely to be
/// the one that fails a question alone. This is Wald's sequential probability ratio test (1945) of that, against a live slot that is it 19
/// times in 20: it may be asked as often as one likes, and a release that fails like the stable one is blamed once in a thousand breaches.
class blame_evidence {
 public:
  /// Takes a round in; gives it back with what all rounds say: where the slots differ, whether the release is to blame, both fail, or more
  /// has to be asked. Both do well after three rounds in a row that found nothing.
  blame add(blame round);

 private:
  int well_in_a_row_ = 0;
  double log_ratio_ = 0;     ///< of the likelihoods
  unsigned live_alone_ = 0;  ///< since the beginning
  unsigned stable_alone_ = 0;
};

}  // namespace flipback::deployment
