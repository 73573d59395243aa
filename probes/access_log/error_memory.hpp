#pragma once

#include "flipback/error_shares.hpp"

#include "probes/access_log/traffic.hpp"

#include <deque>

namespace flipback::access_log {

/// Who had the errors of the last minutes, and who asked at all: in parts of ten seconds, each of bounded size.
class error_memory {
 public:
  static constexpr duration kept = std::chrono::minutes(5);
  static constexpr duration part = std::chrono::seconds(10);

  /// What was logged until `at`. Times never go back.
  void add(const pool& seen, instant at);
  [[nodiscard]] error_shares since(instant begin) const;

 private:
  struct piece {
    instant from;
    heavy_hitters clients;
    heavy_hitters requests;
  };
  struct requesters_piece {
    instant from;
    heavy_hitters clients;
  };
  std::deque<piece> pieces_;
  std::deque<requesters_piece> requesters_;  ///< apart: there are requests without errors, and a cutover may come in the middle of a piece
};

}  // namespace flipback::access_log
