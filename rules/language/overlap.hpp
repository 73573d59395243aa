#pragma once

#include "rules/language/expression.hpp"

#include <optional>
#include <string>

namespace flipback::rules {

/// A reading that both conditions hold against numbers, where both can be true at once: "traffic.error_rate over 5m between 5% and 10%".
/// Nothing where they exclude each other, or where that can't be told: of other readings, calculations and tests.
std::optional<std::string> overlap(const expression& when, const expression& until);

}  // namespace flipback::rules
