#pragma once

#include "rules/built_in.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::rules {

/// Adds the built-in rules of which there is one for each signal of a kind: `down:api`, `disk:data`, `critical-function:login`. `replaced`
/// says whether a person has a rule of that name.
void add_one_for_each(const catalogue& signals, bool has_deployment, const std::function<bool(std::string_view)>& replaced, rule_set& into);

/// What their names begin with.
std::vector<std::string> names_for_each();

}  // namespace flipback::rules
