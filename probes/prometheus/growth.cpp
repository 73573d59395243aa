#include "probes/prometheus/growth.hpp"

#include <boost/json/serialize.hpp>

namespace flipback::prometheus {

namespace {

std::string target_of(const element& e) {
  return label_of(e, "job") + '\n' + label_of(e, "instance");
}

}  // namespace

double growth::grown(const std::vector<element>& now, counters& before) const {
  if (before.size() > most_series) {
    counters seen;
    for (const element& e : now) {
      if (auto known = before.extract(json::serialize(e.labels))) seen.insert(std::move(known));
    }
    before = std::move(seen);
  }
  double sum = 0;
  for (const element& e : now) {
    if (!e.value) continue;
    const auto [at, is_new] = before.try_emplace(json::serialize(e.labels), *e.value);
    if (!is_new)
      sum += *e.value < at->second ? *e.value : *e.value - at->second;
    else if (targets_.contains(target_of(e)))
      sum += *e.value;
    at->second = *e.value;
  }
  return sum;
}

pooled growth::look(const std::vector<element>& numerator, const std::vector<element>& denominator) {
  const pooled made{grown(numerator, numerator_), grown(denominator, denominator_)};
  if (targets_.size() > most_series) targets_.clear();
  for (const auto* side : {&numerator, &denominator}) {
    for (const element& e : *side) targets_.insert(target_of(e));
  }
  return made;
}

}  // namespace flipback::prometheus
