#pragma once

#include "flipback/discretion.hpp"

#include "agent/config/configuration.hpp"
#include "agent/notify/target.hpp"

#include <memory>
#include <vector>

namespace flipback::config {

struct made_target {
  target_entry entry;
  std::unique_ptr<notify::target> reaches;
  discretion hides;  ///< the secrets that it was made with
};

/// Makes every target by its kind; what is wrong in its table is reported, and it is then not to be used. The network must outlive them.
std::vector<made_target> make_targets(const configuration& from, net::network& through, settings::diagnostics& problems);

}  // namespace flipback::config
