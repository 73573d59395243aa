#include "probes/access_log/tally.hpp"

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

}  // namespace flipback::access_log
