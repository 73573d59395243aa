#pragma once

#include "flipback/observation.hpp"

#include "probes/access_log/tally.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::access_log {

/// The measurements of the traffic as a whole or, behind a slot's name and a dot, of the attempts on that slot; or of the live slot alone.
/// An observation refers to their names, so they live as long as the probe.
class tally_signals {
 public:
  struct terms {
    std::string prefix;
    bool with_latency = false;
    std::string narrowed_by;  ///< the prefix under which the same is measured of the live slot alone; empty: it is not
    bool of_live = false;
    std::string anew_by{};  ///< of the live slot: the prefix of the shares of what began after both slots were asked; empty: there are none
    bool shares_only = false;  ///< no counts and no latencies
  };
  explicit tally_signals(terms by);

  void declare(std::vector<measurement_declaration>& into) const;
  /// What was counted in `over` seconds.
  void measure(std::vector<measurement>& into, const tally& from, double over) const;

 private:
  struct named {
    std::string name;
    std::string narrowed;
    std::string anew;
  };
  [[nodiscard]] named named_as(std::string_view name) const;
  [[nodiscard]] measurement_declaration declared(const named& as, signal_kind kind, unit in, telling tells = telling::requests) const;

  terms by_;
  named requests_;
  named rps_;
  std::string latencies_;
  std::deque<named> rates_;      ///< of these in the table that the log's fields allow
  std::deque<named> quantiles_;  ///< none where the log has no latency
};

}  // namespace flipback::access_log
