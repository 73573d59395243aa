#pragma once

#include "agent/deployment/sighting.hpp"
#include "agent/deployment/state.hpp"
#include "agent/deployment/terms.hpp"

#include <cstdint>
#include <string>

namespace flipback::deployment {

/// What a person is told whose word, by its number, is still without an answer when the agent is stopped. `names`: what the switch names
/// then, when nothing more will be changed.
std::string unanswered(const state& s, const terms& by, const intent& names, std::uint64_t verb);

}  // namespace flipback::deployment
