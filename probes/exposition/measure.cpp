#include "probes/exposition/measure.hpp"

#include "probes/exposition/traffic.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace flipback::exposition {

void measure(findings& into, const terms& by, const reading& seen, instant since, instant now) {
  std::vector<std::string_view> missing;
  for (std::size_t i = 0; i < seen.metrics.size(); ++i) {
    const bool counted = by.look_at.metrics[i].kind == signal_kind::distribution;
    if (!seen.metrics[i])
      missing.push_back(by.look_at.metrics[i].name);
    else if (!counted)
      into.measure(by.metrics[i], *seen.metrics[i]);
    else if (seen.how != growth::none)
      into.measure({by.metrics[i], *seen.metrics[i], false, since});
  }
  if (!missing.empty()) into.note(fmt::format("not exposed: {}", fmt::join(missing, ", ")));
  if (seen.several)
    return into.unwell(reason::no_prerequisite,
                       "several processes answer by turns, each with counts of its own: no rate can be known (with several workers "
                       "the Python client needs PROMETHEUS_MULTIPROC_DIR)");
  if (seen.changed) into.note("another process answers than before: counting begins anew");
  if (!by.traffic) return into.well(fmt::format("{} of {} metrics", seen.metrics.size() - missing.size(), seen.metrics.size()));
  if (seen.by == nullptr) {
    std::vector<std::string_view> names;
    for (const naming& n : by.look_at.namings) names.push_back(n.requests);
    return into.unwell(reason::no_prerequisite, fmt::format("there is no {}: nothing has been counted yet, or requests are counted under "
                                                            "another name",
                                                            fmt::join(names, " and no ")));
  }
  into.well(sentence(seen, since, now));
  note_limits(into, seen, by.limited);
  if (seen.how != growth::none) measure_traffic(into, seen, by.limited, since, now);
}

}  // namespace flipback::exposition
