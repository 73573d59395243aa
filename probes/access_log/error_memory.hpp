#pragma once

#include "flipback/error_shares.hpp"

#include "probes/access_log/traffic.hpp"

#include <deque>

namespace flipback::access_log {

/// Who had the errors of the last minutes that the live slot is held to, and who asked at all: in parts of ten seconds, each of bounded
/// size.
class error_memory {
 public:
  static constexpr duration kept = std::chrono::minutes(5);
  static constexpr duration part = std::chrono::seconds(10);

  /// What was logged until `at`, which on the wall's clock is `wall` (seconds since 1970). Times never go back.
  void add(const held_against_live& seen, instant at, double wall);
  /// Forgets all: another slot or release is live.
  void forget();
  /// Of what was logged in parts that began since then; the sample is of requests that ended since then themselves: what hangs
  /// fails long after it began.
  [[nodiscard]] error_shares since(instant begin) const;

 private:
  struct piece {
    instant from;
    heavy_hitters clients;
    heavy_hitters requests;
    std::uint64_t safe = 0;
    std::uint64_t hung = 0;
    failed_sample failed;
    failed_sample slow;
    double wall_ahead = 0;  ///< seconds since 1970 at the steady clock's zero, when the part's last came
  };
  struct requesters_piece {
    instant from;
    heavy_hitters clients;
  };
  std::deque<piece> pieces_;
  std::deque<requesters_piece> requesters_;  ///< apart: there are requests without errors, and a cutover may come in the middle of a piece
  std::minstd_rand chance_;
};

}  // namespace flipback::access_log
