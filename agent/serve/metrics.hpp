#pragma once

#include "agent/generation.hpp"
#include "agent/notify/notifier.hpp"
#include "agent/serve/own_times.hpp"
#include "agent/serve/status.hpp"
#include "agent/serve/tally.hpp"

#include <string>

namespace flipback::serve {

/// The agent's own metrics in Prometheus' text format (packaging/docs/events.md: "Metrics"), made anew at each scrape. Takes the longest
/// lag out of `measured`, so that the next scrape tells of the time after this one.
std::string metrics_text(generation& of, const tally& told, own_times& measured, const notify::notifier& people, bool in_an_incident);

/// The page under /healthz: the agent's own state as JSON. Failing services are no illness of the agent.
std::string health_text(generation& of, const on_record& known);

}  // namespace flipback::serve
