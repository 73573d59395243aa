#pragma once

#include "flipback/observation.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback {

/// A measurement over time, by its full name `probe.measurement`.
struct signal {
  std::string name;
  signal_kind kind = signal_kind::gauge;
  unit in = unit::number;
  duration stale{};        ///< a newest sample older than this counts as absent
  double quantile = 0;     ///< of a distribution: 0.95 for `traffic.p95`
  std::string samples;     ///< whose samples it reads: its own name, or the shared distribution's ("traffic.latencies")
  std::string narrowed{};  ///< the signal that says the same of the live slot since the newest cutover alone; empty: there is none
  bool of_live = false;    ///< it speaks of the live slot since the newest cutover, and of nothing else
  duration every{};        ///< the interval at which samples come; zero: not known
  telling tells = telling::nothing;
  std::string anew{};  ///< of one of the live slot: the signal of its requests alone that began after both slots were asked; empty: none
};

/// One value of one signal. It speaks of the time (from, at]; an instantaneous one of the run that began at `from`.
struct sample {
  instant from;
  instant at;
  std::optional<measured> value;  ///< nothing: absent (unknown, NaN, infinite)
  bool quiet = false;             ///< see measurement
};

}  // namespace flipback
