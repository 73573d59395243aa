#include "agent/time_buckets.hpp"

namespace flipback {

prometheus::Histogram::BucketBoundaries time_buckets() {
  return {0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 10};
}

}  // namespace flipback
