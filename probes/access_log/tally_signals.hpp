#pragma once

#include "flipback/observation.hpp"

#include "probes/access_log/traffic.hpp"

#include <deque>
#include <string>
#include <vector>

namespace flipback::access_log {

/// The measurements of the traffic as a whole or, behind a slot's name and a dot, of the attempts on that slot. An observation refers to
/// their names, so they live as long as the probe.
class tally_signals {
 public:
  tally_signals(const std::string& prefix, bool with_latency);

  void declare(std::vector<measurement_declaration>& into) const;
  /// What was counted in `over` seconds.
  void measure(std::vector<measurement>& into, const tally& from, double over) const;

 private:
  std::string requests_;
  std::string rps_;
  std::string latencies_;
  std::deque<std::string> rates_;
  std::deque<std::string> quantiles_;  ///< none where the log has no latency
};

}  // namespace flipback::access_log
