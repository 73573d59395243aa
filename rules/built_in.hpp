#pragma once

#include "rules/catalogue.hpp"
#include "rules/rule.hpp"

#include <span>
#include <string>
#include <vector>

namespace flipback::rules {

/// A built-in rule that is not on, and why.
struct switched_off {
  std::string name;
  std::string why;
};

struct rule_set {
  std::vector<rule_source> on;
  std::vector<switched_off> off;
};

/// All names under which a built-in rule can be replaced or switched off.
std::vector<std::string> built_in_names();

/// The rules that there are without writing any (packaging/docs/rules.md: "Built-in rules"), as far as the signals for them exist, and the
/// person's own. A rule of the same name takes a built-in's place; `enabled = false` switches it off.
rule_set with_built_ins(std::span<const rule_source> own, const catalogue& signals, bool has_deployment);

}  // namespace flipback::rules
