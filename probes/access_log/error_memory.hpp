#pragma once

#include "flipback/error_shares.hpp"

#include "probes/access_log/traffic.hpp"

#include <deque>

namespace flipback::access_log {

/// Who had the errors of the last minutes: in parts of ten seconds, each of bounded size.
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
  std::deque<piece> pieces_;
};

}  // namespace flipback::access_log
