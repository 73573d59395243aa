#pragma once

#include "flipback/event.hpp"

#include "agent/config/make_probes.hpp"
#include "agent/record/recorder.hpp"
#include "agent/time_buckets.hpp"
#include "rules/engine.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace flipback {

/// What is known of a probe now, for pages, metrics and `--check`.
struct watched {
  const config::probe_entry* entry = nullptr;
  probe* observed = nullptr;
  std::optional<observation> newest;  ///< without its measurements once they are handed on
  instant at{};                       ///< of the newest's end
  unsigned failures_in_a_row = 0;
  std::uint64_t passes = 0;
  std::uint64_t fails = 0;
  std::uint64_t unknowns = 0;
  std::map<std::pair<outcome, reason>, std::uint64_t> not_passed{};  ///< the fails and unknowns, by why
  std::unique_ptr<prometheus::Histogram> took{};                     ///< how long runs took that told something, in seconds
};

/// Takes what the probes saw to the rules, and to the record, as samples, and tells when a probe's outcome changes.
class observing {
 public:
  observing(const std::vector<config::made_probe>& probes, rules::engine& judged, recorder* recorded, std::function<void(event)> tell);

  /// One run of probe number `which`, in the order of `probes`.
  void take(std::size_t which, const run& of, const observation& seen);
  [[nodiscard]] const std::vector<watched>& all() const { return watched_; }

 private:
  /// Where a measurement goes: to the rules where one reads it, to the record where there is one.
  struct route {
    std::string_view measurement;
    std::optional<std::size_t> series;
    std::uint32_t recorded = 0;
  };
  void give(const route& to, const sample& s);
  void tell_change(const watched& of, const observation& seen, const std::optional<outcome>& before);

  rules::engine& judged_;
  recorder* recorded_;  ///< may be null
  std::function<void(event)> tell_;
  std::vector<watched> watched_;
  std::vector<std::vector<route>> routes_;
};

}  // namespace flipback
