#pragma once

#include "probes/declarations.hpp"
#include "probes/exposition/ledger.hpp"
#include "probes/findings.hpp"

#include <string>

namespace flipback::exposition {

/// Declares the traffic under the access log's names, as far as counters tell it; `limited_rate` only where statuses come whole.
void declare_traffic(declarations& into, bool limited);
/// Measures the traffic that came from `since` to now. Precondition: what it grew by is known.
void measure_traffic(findings& into, const reading& from, bool limited, instant since, instant now);
/// "1200 requests in 10s, 12 errors, P95 240ms", or what the counters show where nothing is known of the time before.
std::string sentence(const reading& from, instant since, instant now);
/// What a person should know of how these metrics tell the traffic: of statuses in groups, of buckets that end early.
void note_limits(findings& into, const reading& from, bool limited);

}  // namespace flipback::exposition
