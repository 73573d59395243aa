#pragma once

#include "rules/built_in.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::rules {

/// The built-in rules that roll back by the traffic: `error-rate`, `error-burn`, `latency` and `latency-burn`. `replaced`: whether a person
/// wrote a rule of that name.
void add_budget(const catalogue& signals, bool has_deployment, const std::function<bool(std::string_view)>& replaced, rule_set& into);

/// Their names, and the one that `error-burn` had before.
std::vector<std::string> budget_names();

}  // namespace flipback::rules
