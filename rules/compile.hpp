#pragma once

#include "flipback/settings.hpp"

#include "rules/catalogue.hpp"
#include "rules/condition.hpp"
#include "rules/rule.hpp"

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace flipback::rules {

/// A rule whose conditions are parsed, checked and bound to series.
struct rule {
  rule_source from;
  branch when;
  branch until;   ///< may be null
  branch unless;  ///< may be null
  std::vector<source> sources;
  std::size_t asks = 0;            ///< how many of them `when` reads: the first
  std::vector<std::size_t> reads;  ///< the series that wake it
  least_fill least;                ///< of `when`
  bool asks_worse = false;         ///< what was before the cutover is held against it by its own condition
};

/// Rules and the series that they read, ready to run.
struct compiled {
  std::vector<rule> rules;
  std::vector<series> all;
  std::unordered_map<std::string, std::size_t> series_by_name;  ///< a signal's `samples` → its series
  std::vector<std::size_t> anew;                                ///< those of requests that began after both slots were asked
};

/// As long as a window's last fifth, and 20 s at least.
duration part_of(duration window);

/// Has a signal's samples kept so long, whether a rule reads them or not.
void keep(compiled& in, const signal& of, duration length);

/// Compiles every enabled rule; what is wrong with one is reported at its place, and the rule left out.
compiled compile(std::span<const rule_source> rules, const catalogue& signals, settings::diagnostics& problems);

}  // namespace flipback::rules
