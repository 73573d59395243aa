#include "probes/access_log/tally.hpp"

#include <algorithm>

namespace flipback::access_log {

void tally::merge(const tally& other) {
  requests += other.requests;
  errors += other.errors;
  client_errors += other.client_errors;
  successes += other.successes;
  limited += other.limited;
  aborted += other.aborted;
  slow += other.slow;
  latencies.merge(other.latencies);
}

void counts::merge(const counts& other) {
  all.merge(other.all);
  if (slots.size() < other.slots.size()) slots.resize(other.slots.size());
  for (std::size_t i = 0; i < other.slots.size(); ++i) slots[i].merge(other.slots[i]);
  live.merge(other.live);
  anew.merge(other.anew);
  for (const keyed_ratio& r : other.by_path) {
    const auto known = std::ranges::find_if(by_path, [&](const keyed_ratio& mine) { return *mine.of == *r.of; });
    if (known == by_path.end()) {
      by_path.push_back(r);
    } else {
      known->numerator += r.numerator;
      known->denominator += r.denominator;
    }
  }
  elsewhere += other.elsewhere;
  local += other.local;
  local_errors += other.local_errors;
  local_failures += other.local_failures;
}

}  // namespace flipback::access_log
