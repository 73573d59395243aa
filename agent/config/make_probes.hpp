#pragma once

#include "agent/config/configuration.hpp"
#include "agent/config/slot_probe.hpp"

#include <memory>
#include <vector>

namespace flipback::config {

struct made_probe {
  const probe_entry* entry = nullptr;
  std::unique_ptr<probe> observed;
  std::string why_not{};  ///< why it can't be asked, and is unknown in each run; empty: it can
};

/// Makes every probe by its kind; what is wrong in its table is reported. Where the variables alone say what is watched, a wrong one costs
/// its own probe, as long as another can be asked. The configuration must outlive what is made. `now` may be null where nothing will run.
std::vector<made_probe> make_probes(const configuration& from, const surroundings& in, settings::diagnostics& problems,
                                    const slots_in_roles& now = nullptr);

/// One probe of that entry with these keys, which may be others than its own.
std::unique_ptr<probe> make_probe(const probe_entry& entry, const settings::node& keys, const surroundings& in,
                                  settings::diagnostics& problems);

}  // namespace flipback::config
