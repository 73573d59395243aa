#pragma once

#include "flipback/probe.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace flipback {

/// What the scheduler counts of itself, since its start.
struct schedule_counts {
  std::uint64_t runs = 0;     ///< ended, whatever the outcome
  std::uint64_t skipped = 0;  ///< due while the run before had not ended, or while our own loop stood still
  std::uint64_t timed_out = 0;
};

/// Starts each probe's run n at t0 + n·every and ends it at its deadline (semantics.md §1). Runs are never queued and never overlap.
///
/// Waking up costs more than probing, so starts and deadlines are kept on a grid of a few milliseconds, and what falls on one point
/// shares a wake-up: t0 is spread over the interval in steps of the grid, a deadline is at most one step late.
class scheduler {
 public:
  /// What became of a run: which probe, by the number that `add` gave, when it was due, and what it saw.
  using sink = std::function<void(std::size_t probe, const run& of, const observation& seen)>;

  static constexpr duration grid = std::chrono::milliseconds(5);
  /// A wake-up later than this means that we stood still ourselves: whatever timed out meanwhile says nothing about its service.
  static constexpr duration stall = std::chrono::milliseconds(500);
  static constexpr duration longest_backoff = std::chrono::minutes(5);

  scheduler(asio::io_context& loop, sink to);
  ~scheduler();
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;

  /// Before `start`. The probe must outlive the scheduler.
  std::size_t add(probe& observed, duration every, duration timeout);
  /// First runs follow within one interval each.
  void start(duration spread = {});
  /// Cancels what runs and starts nothing more; completes when every run has ended.
  asio::awaitable<void> stop();

  [[nodiscard]] const schedule_counts& counts() const { return counts_; }
  /// Called at each wake-up with how late it came; not negative.
  std::function<void(duration)> on_wake;
  /// Called with the time we stood still for when a wake-up came later than `stall`.
  std::function<void(duration)> on_stall;

 private:
  struct entry;
  struct due {
    instant at;
    std::uint32_t entry;
    std::uint32_t deadline_of;  ///< the run that ends then; 0: a start
    friend bool operator>(const due& a, const due& b) { return a.at > b.at; }
  };

  void arm();
  void wake(instant now);
  void start_due(std::uint32_t number, instant at, instant now);
  void deadline_due(entry& of, bool stalled);
  void begin(entry& of, instant at);
  void ended(entry& of, const std::exception_ptr& thrown, observation seen);
  void deliver(entry& of, observation seen);
  void back_off(entry& of, const observation& seen);

  asio::io_context& loop_;
  sink to_;
  asio::steady_timer timer_;
  std::vector<std::unique_ptr<entry>> entries_;
  std::priority_queue<due, std::vector<due>, std::greater<>> heap_;
  instant armed_for_ = instant::max();
  instant grid_origin_;
  schedule_counts counts_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  asio::steady_timer all_ended_;
};

}  // namespace flipback
