#pragma once

#include "flipback/probe.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace flipback::config {

/// Which slot is the stable one now, by its place in the configuration; nothing: there is no way back.
using stable_slot = std::shared_ptr<std::optional<std::size_t>>;

/// Asks whichever slot is the stable one: one probe for each slot, of which one runs. `each` is in the order of the slots.
std::unique_ptr<probe> make_stable_probe(std::vector<std::unique_ptr<probe>> each, stable_slot which);

}  // namespace flipback::config
