#include "agent/deployment/unanswered.hpp"

#include "agent/deployment/unnamed.hpp"

#include <fmt/format.h>

namespace flipback::deployment {

std::string unanswered(const state& s, const terms& by, const intent& names, std::uint64_t verb) {
  if (s.under_way && s.under_way->why.verb == verb) {
    const auto named = names.named();
    return fmt::format("the agent is being stopped while the {} to {} is under way: {}; the agent's next start proves it, or undoes it",
                       name_of(s.under_way->why), by.slots[s.under_way->to.slot],
                       named ? fmt::format("the switch names {}", by.slots[*named]) : why_unnamed(names, by));
  }
  if (s.order && s.order->verb == verb)
    return fmt::format("the agent is being stopped: the {} was not begun, and nothing was changed", name_of(*s.order));
  return "the agent is being stopped, and it is not known whether this is stored: `flipback status` tells after its next start";
}

}  // namespace flipback::deployment
