#pragma once

#include "flipback/settings.hpp"

#include "probes/declarations.hpp"
#include "probes/exposition/ledger.hpp"
#include "probes/net/api.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flipback::exposition {

/// What a person says of an exposition, and what holds where they say nothing (probes/README.md: `exposition`).
struct terms {
  net::api_access access;
  selection look_at;
  bool traffic = true;                    ///< whether requests are looked for
  bool limited = false;                   ///< statuses are whole, as far as the configuration tells
  duration longest_gap{};                 ///< growth over a longer time is not told
  std::vector<std::string_view> metrics;  ///< under which names the selection's are measured
};

/// Reads the table of a probe that runs `every`, to its end, and declares what the probe may measure.
terms read_terms(settings::section& from, duration every, declarations& declared);

}  // namespace flipback::exposition
