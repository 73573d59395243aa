#pragma once

#include "flipback/event.hpp"

#include "rules/engine.hpp"

namespace flipback {

/// What a rule has to say, as an event: `verdict.changed`, or `rule.blind`.
event event_of(const rules::change& c, const rules::rule& of);

}  // namespace flipback
