#pragma once

#include "flipback/ratios.hpp"
#include "flipback/sketch.hpp"

#include "probes/access_log/failed_sample.hpp"
#include "probes/access_log/heavy_hitters.hpp"

#include <cstdint>
#include <vector>

namespace flipback::access_log {

/// Counts of requests, or, for a slot, of attempts.
struct tally {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;         ///< 500–599, and hung up on after `hang_after` without a header
  std::uint64_t client_errors = 0;  ///< 4xx but 429 and 499
  std::uint64_t successes = 0;      ///< 1xx to 3xx
  std::uint64_t limited = 0;        ///< 429
  std::uint64_t aborted = 0;        ///< 499
  std::uint64_t slow = 0;           ///< slower than `slow_after`, of those that have a latency
  sketch latencies;

  void merge(const tally& other);
};

/// How many requests came in, and where they went.
struct counts {
  tally all;                         ///< the traffic: what went to a slot, or, where that can't be told, what was passed on
  std::vector<tally> slots;          ///< attempts, in the order of the slots
  tally live;                        ///< of the live slot's requests that began after the cutover; nothing where it is not known
  tally anew;                        ///< of these the ones that began after both slots were asked for what fails
  ratios by_path;                    ///< errors and requests of the traffic's paths that fail
  std::uint64_t elsewhere = 0;       ///< passed on, to what is no slot's
  std::uint64_t local = 0;           ///< that nginx answered itself
  std::uint64_t local_errors = 0;    ///< of these from 300 up
  std::uint64_t local_failures = 0;  ///< of these from 500 up

  [[nodiscard]] std::uint64_t came_in() const { return all.requests + elsewhere + local; }
  void merge(const counts& other);
};

/// What the live slot is held to: of its requests that began after the cutover alone. Where it is not known which slot that is, or the log
/// can't tell, of all traffic.
struct held_against_live {
  heavy_hitters failing_requests;  ///< what the errors asked for: "GET /api/search"
  heavy_hitters failing_clients;   ///< whose they were, where the log tells
  heavy_hitters clients;           ///< whose all requests were, errors or not
  std::uint64_t safe_errors = 0;   ///< errors of GET and HEAD
  std::uint64_t hung_errors = 0;   ///< errors that are none but for their clients, who hung up after `hang_after`
  failed_sample failed;            ///< some of the errors, of requests whose beginning is known
  failed_sample slow;              ///< the same of the requests that were slow
};

/// What has been logged since the last time it was asked (semantics.md §2, "Traffic").
struct pool : counts, held_against_live {
  std::uint64_t malformed = 0;
  double newest_line = 0;    ///< the newest line's own time, seconds since 1970; 0: none
  heavy_hitters errors_top;  ///< what the traffic's errors asked for, as failing_requests
};

}  // namespace flipback::access_log
