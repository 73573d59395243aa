#pragma once

#include "flipback/histogram.hpp"
#include "flipback/ratios.hpp"
#include "flipback/sketch.hpp"
#include "flipback/units.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace flipback {

/// fail: the service was asked and is not well. unknown: Flipback could not ask, or only a rate limit answered.
enum class outcome : std::uint8_t { pass, fail, unknown };

/// Why an observation is what it is. The first group goes with `fail`, the second with `unknown`.
enum class reason : std::uint8_t {
  ok,
  refused,         ///< nothing listens, or a connection to oneself
  unreachable,     ///< no route, network or host down
  no_such_name,    ///< the name server says that the name does not exist
  timed_out,       ///< no end within the probe's time-out
  closed,          ///< the peer hung up before its answer was whole
  bad_answer,      ///< not the protocol, or not well-formed
  too_large,       ///< the answer is longer than the probe's bound
  bad_status,      ///< another status than the expected one
  expectation,     ///< a stated expectation does not hold
  bad_tls,         ///< the handshake failed, or the certificate can't be trusted
  unauthorised,    ///< wrong or missing credentials
  forbidden,       ///< known credentials without the right
  limited,         ///< a rate limit answered; `unknown` where that says nothing about the service
  saturated,       ///< no connection slot left
  starting,        ///< loading, starting up or shutting down
  absent,          ///< the file, database or object asked for is not there
  no_resolver,     ///< unknown: the name server gives no answer
  own_limits,      ///< unknown: our own descriptors, ports or memory are exhausted
  own_network,     ///< unknown: our own network is down
  own_stall,       ///< unknown: our own loop did not run
  no_prerequisite  ///< unknown: what the probe needs to ask at all is missing
};

std::string_view name_of(outcome o);
std::string_view name_of(reason r);
outcome outcome_of(reason r);
/// Whether the service gave an answer, even if not a good one (semantics.md: `reachable`).
bool answered(reason r);

/// How samples of a measurement combine over a window.
enum class signal_kind : std::uint8_t { gauge, outcome, counter, ratio, distribution, ratios };
std::string_view name_of(signal_kind k);

/// Numerator and denominator of one sample of a ratio, kept apart so that a window can pool them.
struct pooled {
  double numerator = 0;
  double denominator = 0;
};

/// A distribution is a sketch where each value was seen, a histogram where somebody else had counted them into buckets.
using measured =
    std::variant<double, pooled, std::shared_ptr<const sketch>, std::shared_ptr<const histogram>, std::shared_ptr<const ratios>>;

/// A named number. `name` must outlive the observation: a literal, or a string that the probe owns.
struct measurement {
  std::string_view name;
  measured value;
  bool quiet = false;  ///< nothing happened in this sample's time: it pools, but keeps its signal no fresher
  instant since{};     ///< it speaks of the time from here to the run's end; zero: of the run
};

/// How long traffic says something after its newest request.
inline constexpr duration traffic_stale = std::chrono::seconds(15);

/// What of users' requests a measurement tells.
enum class telling : std::uint8_t {
  nothing,   ///< it is of no users' requests
  requests,  ///< how many, of which kind
  errors,    ///< which of them failed
  slowness   ///< how long they took
};

/// What a probe says it may measure, so that rules can be checked before anything runs.
struct measurement_declaration {
  std::string_view name;
  signal_kind kind = signal_kind::gauge;
  unit in = unit::number;
  double quantile = 0;          ///< of a distribution: 0.95 for "p95"
  std::string_view of{};        ///< of a distribution: the name under which its values are measured; several quantiles may share one
  duration stale{};             ///< at least 3 × the probe's interval
  std::string_view narrowed{};  ///< under which name the same is measured of the live slot alone, of requests that began after the cutover
  bool of_live = false;         ///< it speaks of the live slot since the newest cutover, and of nothing else
  telling tells = telling::nothing;
  std::string_view
      anew{};  ///< of one of the live slot: under which name the same is measured of requests that began after `live_facts.anew`
};

/// What a probe has learnt of the time before its first run, as a log tells it. A measurement that has a `since` speaks of less of it.
struct earlier {
  duration from{};  ///< before the run's start
  duration to{};    ///< before the run's start, less than `from`
  std::vector<measurement> measurements;
};

/// What one run of a probe saw. `latency`, the time from its start to its end, is filled in by the scheduler.
struct observation {
  outcome result = outcome::pass;
  reason why = reason::ok;
  std::string says;  ///< one sentence for people, without secrets
  duration latency{};
  std::vector<measurement> measurements;
  std::vector<earlier> before;    ///< oldest first; only in a first run
  std::vector<std::string> news;  ///< what a person is to be told once, though nothing is wrong: "the keys were rotated"

  static observation pass(std::string says);
  static observation fail(reason why, std::string says);  ///< outcome follows from `why`
  static observation unknown(reason why, std::string says);
  void measure(std::string_view name, measured value) { measurements.push_back({name, std::move(value)}); }
};

}  // namespace flipback
