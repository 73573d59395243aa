#pragma once

#include "flipback/probe.hpp"

#include "agent/config/configuration.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flipback::config {

/// Which slot is in a role now, by its place in the configuration.
struct slots_now {
  std::optional<std::size_t> live;              ///< nothing: it is not known
  std::optional<std::size_t> stable;            ///< nothing: there is no way back
  std::map<std::string, reason> at_front_door;  ///< what came of the newest run of each critical probe
};

using slots_in_roles = std::shared_ptr<const slots_now>;

/// Asks whichever slot is in that role: one probe for each slot, of which one runs. `each` is in the order of the slots. It asks once the
/// critical probe `of` has, and not after that was refused: a wrong password is tried once, and not at each slot as well. `now` may be null
/// where nothing will run.
std::unique_ptr<probe> make_slot_probe(std::vector<std::unique_ptr<probe>> each, slot_role asked, std::string of, slots_in_roles now);

}  // namespace flipback::config
