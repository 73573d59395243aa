#pragma once

#include "rules/catalogue.hpp"
#include "rules/language/expression.hpp"
#include "rules/language/lexer.hpp"

#include <optional>

namespace flipback::rules {

/// Holds a parsed condition against the signals there are: names, functions that fit the signal's kind, units that can be compared, and
/// that it is a condition at all. Units: a duration compares with durations, bytes with bytes; plain numbers, ratios and rates with each
/// other; a bare 0 with everything. Nothing where all is well.
std::optional<language_error> check(const expression& condition, const catalogue& signals);

}  // namespace flipback::rules
