#pragma once

#include "flipback/settings.hpp"

#include "agent/config/configuration.hpp"
#include "probes/exposition/terms.hpp"
#include "rules/catalogue.hpp"

#include <deque>
#include <map>
#include <string>

namespace flipback::replay {

/// A probe that looks at metrics texts.
struct exposition_probe {
  std::string name;
  duration every{};
  declarations declared;
  exposition::terms by;
};

/// What a configuration says of the signals that a replay gives. Its own signals are there whether anything is known of them or not, so
/// that its rules can be judged.
struct declared_signals {
  rules::catalogue all;
  std::deque<exposition_probe> expositions;  ///< a deque: what is measured points into them; without any, [probes.traffic] as it would be
  std::map<std::string, duration> covers;    ///< of each query of a promql probe: see prometheus::query
};

declared_signals declared_by(const config::configuration& from, settings::diagnostics& problems);

/// How a signal that one query gives is known to the rules: as it is declared, else by its name. What is a ratio or a distribution
/// elsewhere comes as a number alone.
signal queried_signal(const std::string& name, const declared_signals& declared);

}  // namespace flipback::replay
