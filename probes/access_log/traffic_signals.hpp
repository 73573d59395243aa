#pragma once

#include "probes/access_log/tally_signals.hpp"
#include "probes/access_log/traffic.hpp"

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace flipback::access_log {

/// What the probe measures and says of a pool: of the traffic as a whole, and of each slot. No I/O, no clock. An observation refers to its
/// names, so it stays where it was made, and lives as long as the probe.
class traffic_signals {
 public:
  /// `slots`: those that there are, whether the log can tell them apart or not.
  traffic_signals(const abilities& can_tell, std::span<const slot_upstreams> slots, duration lag_limit);
  traffic_signals(const traffic_signals&) = delete;
  traffic_signals& operator=(const traffic_signals&) = delete;

  [[nodiscard]] std::span<const measurement_declaration> declares() const { return declared_; }
  /// What came since then, in `over` seconds (zero, 0: nobody knows). `now`, in seconds since 1970, is when it came, where that says how
  /// late the log is: with a newest line older than the limit nothing is known. `missing`: fields that no line has had.
  [[nodiscard]] observation say(const pool& of, instant since, double over, std::optional<double> now,
                                std::span<const field> missing) const;
  /// The measurements of requests alone.
  void measure(std::vector<measurement>& into, const counts& of, double over) const;
  /// Those of the live slot, from `since` on (zero: the sample's own time); `is_anew`: what began after both slots were asked is counted.
  void measure_live(std::vector<measurement>& into, const counts& of, instant since, double over, bool is_anew = false) const;

 private:
  abilities can_tell_;
  duration lag_limit_;
  tally_signals all_;
  std::optional<tally_signals> live_;  ///< where there are slots that the log can tell apart
  std::optional<tally_signals> anew_;  ///< the same
  std::deque<tally_signals> slots_;    ///< where the log has their attempts' statuses
  std::vector<measurement_declaration> declared_;
};

}  // namespace flipback::access_log
