#pragma once

#include "flipback/units.hpp"

#include "agent/serve/demand.hpp"

#include <expected>
#include <functional>
#include <optional>
#include <string>

namespace flipback::cli {

struct watch_options {
  std::string until;                ///< "", "proven" or "quiet"
  std::optional<duration> at_most;  ///< then it ends, and says that it has not come to that
  std::string status_typed{};       ///< what a person types to see how it stands
};

/// Asks the agent the same again and again.
using asking = std::function<std::expected<serve::reply, std::string>(const serve::demand&)>;

/// `status`, live: repainted on a terminal where it has changed, at most five times a second; elsewhere printed anew where it has. Ends
/// with an interrupt, at its time, or once what it waits for is so. The exit status: 0 it is so, or it was interrupted and waited for
/// nothing; 1 it is not; 2 the agent can't be asked.
int watch(const watch_options& options, const asking& ask);

/// Whether that is so, by the JSON of `status`: "proven": users reach the slot that the switch names, and no rollback is under way;
/// "quiet": that, and no incident is open. `watch` believes it once it has been so for 2.5 s.
bool is_so(const std::string& until, const std::string& status);

}  // namespace flipback::cli
