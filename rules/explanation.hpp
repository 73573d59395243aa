#pragma once

#include "rules/condition.hpp"

#include <string>
#include <vector>

namespace flipback::rules {

/// A condition as people write it: "traffic.error_rate over 5m > 5%". Parentheses only where they are needed.
std::string to_text(const expression& e);

/// One line of a condition's tree: a junction, a comparison, or a signal that it reads.
struct explanation_row {
  unsigned depth = 0;
  std::string text;  ///< the part of the condition: "and", "traffic.error_rate over 5m > 5%", "traffic.error_rate over 5m"
  std::string is;    ///< "true", "false", "unknown", or a signal's value
  std::string says;  ///< how many samples, how old the newest is; why it is unknown. May be empty
};

/// The whole tree, from the outside in. Precondition: every series has been advanced to `now`.
std::vector<explanation_row> explain(const expression& condition, std::span<const source> sources, std::span<const series> all,
                                     least_fill least, instant now);

}  // namespace flipback::rules
