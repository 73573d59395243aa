#pragma once

#include <prometheus/histogram.h>

namespace flipback {

/// The bounds of each of our histograms, in seconds: from 1 ms to 10 s, and among them those that people have in mind, 100 ms, 500 ms and 1
/// s. They are few, since each is a line of each scrape for each probe, and our loop stands still while a scrape is written.
prometheus::Histogram::BucketBoundaries time_buckets();

}  // namespace flipback
