#pragma once

#include "probes/exposition/terms.hpp"
#include "probes/findings.hpp"

namespace flipback::exposition {

/// Measures and says what a scrape at `now` tells of what is looked at; its growth is of the time since `since`.
void measure(findings& into, const terms& by, const reading& seen, instant since, instant now);

}  // namespace flipback::exposition
