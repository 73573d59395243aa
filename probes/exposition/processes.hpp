#pragma once

#include "probes/exposition/counters.hpp"

#include <cstdint>
#include <optional>

namespace flipback::exposition {

/// Tells from scrape to scrape whose counters they are. Workers that each count for themselves answer by turns, and what lies between two
/// of their scrapes is no growth of anything. No I/O, no clock.
class processes {
 public:
  /// `started`: process_start_time_seconds, where it is exposed; `clock`: the server's own, both in seconds since 1970. `fell`: a counter
  /// shows less than before. Gives what may be said of the time since the scrape before.
  growth see(std::optional<double> started, double clock, bool fell);
  /// Several processes answer by turns: of the last ten scrapes three were another's.
  [[nodiscard]] bool several() const;
  /// This scrape's process has another start time than the last one's.
  [[nodiscard]] bool another() const { return another_; }
  /// This scrape's process was not the last one's, and is not new.
  [[nodiscard]] bool changed() const { return (doubts_ & 1U) != 0; }

 private:
  std::optional<double> started_;
  double clock_ = 0;          ///< 0: there was no scrape yet
  bool another_ = false;
  std::uint32_t doubts_ = 0;  ///< a bit for each of the last scrapes, the newest lowest
};

}  // namespace flipback::exposition
