#include "agent/schedule/scheduler.hpp"

#include "agent/schedule/own_network.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>

namespace flipback {

namespace {

instant clock_now() {
  return std::chrono::steady_clock::now();
}

/// Where in its interval probe number i begins: multiples of the golden ratio fall evenly however many there are.
double phase_of(std::size_t i) {
  constexpr double golden = 0.6180339887498949;
  const double multiple = static_cast<double>(i) * golden;
  return multiple - std::floor(multiple);
}

}  // namespace

struct scheduler::entry {
  probe* observed;
  duration every;
  duration timeout;
  std::uint32_t number;
  std::uint32_t serial = 0;  ///< of the newest run
  bool running = false;
  bool delivered = false;  ///< what the newest run saw has been handed on
  run newest{};
  asio::cancellation_signal cancel;
  duration backoff{};  ///< after wrong credentials
  instant not_before{};
  observation refused;  ///< what the wrong credentials were answered with
};

scheduler::scheduler(asio::io_context& loop, sink to)
    : loop_(loop), to_(std::move(to)), timer_(loop), all_ended_(loop, asio::steady_timer::time_point::max()) {}

scheduler::~scheduler() = default;

std::size_t scheduler::add(probe& observed, duration every, duration timeout) {
  auto made = std::make_unique<entry>();
  made->observed = &observed;
  made->every = every;
  made->timeout = timeout;
  made->number = static_cast<std::uint32_t>(entries_.size());
  entries_.push_back(std::move(made));
  return entries_.size() - 1;
}

void scheduler::start(duration spread) {
  grid_origin_ = clock_now();
  for (const auto& e : entries_) {
    const duration over = spread == duration{} ? e->every : std::min(spread, e->every);
    const auto steps = static_cast<std::int64_t>(phase_of(e->number) * static_cast<double>(over.count())) / grid.count();
    heap_.push({grid_origin_ + steps * grid, e->number, 0});
  }
  arm();
}

asio::awaitable<void> scheduler::stop() {
  stopping_ = true;
  timer_.cancel();
  for (const auto& e : entries_) {
    if (e->running) e->cancel.emit(asio::cancellation_type::terminal);
  }
  boost::system::error_code ignored;
  while (running_ > 0) co_await all_ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

void scheduler::arm() {
  // Deadlines of runs that have ended are left in the heap until they surface.
  const auto is_stale = [this](const due& d) {
    const entry& of = *entries_[d.entry];
    return d.deadline_of != 0 && (!of.running || of.serial != d.deadline_of);
  };
  while (!heap_.empty() && is_stale(heap_.top())) heap_.pop();
  if (heap_.empty() || stopping_) return;
  const duration since = heap_.top().at - grid_origin_;
  const instant at = grid_origin_ + (since + grid - duration(1)) / grid * grid;
  if (at == armed_for_) return;
  armed_for_ = at;
  timer_.expires_at(at);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopping_) return;
    wake(clock_now());
  });
}

void scheduler::wake(instant now) {
  const duration late = now - armed_for_;
  armed_for_ = instant::max();
  if (on_wake) on_wake(late);
  const bool stalled = late > stall;
  if (stalled && on_stall) on_stall(late);
  while (!heap_.empty() && heap_.top().at <= now) {
    const due next = heap_.top();
    heap_.pop();
    if (next.deadline_of == 0) {
      start_due(next.entry, next.at, now);
    } else if (entry& of = *entries_[next.entry]; of.running && of.serial == next.deadline_of) {
      deadline_due(of, stalled);
    }
  }
  arm();
}

void scheduler::start_due(std::uint32_t number, instant at, instant now) {
  entry& of = *entries_[number];
  const auto missed = (now - at) / of.every;
  counts_.skipped += static_cast<std::uint64_t>(missed);
  heap_.push({at + (missed + 1) * of.every, number, 0});
  if (of.running) {
    ++counts_.skipped;
  } else if (now < of.not_before) {
    of.newest = {now, now, phase::starting};
    of.delivered = false;
    deliver(of, of.refused);
  } else {
    begin(of, now - at > grid ? now : at);  // late or not, it has all of its time-out
  }
}

void scheduler::deadline_due(entry& of, bool stalled) {
  ++counts_.timed_out;
  const phase at = of.newest.now;
  if (stalled) {
    deliver(of, observation::fail(reason::own_stall, "our own loop stood still while this ran"));
  } else if (at == phase::resolving) {
    deliver(of,
            observation::fail(reason::no_resolver, fmt::format("the name server gave no answer within {}", format_duration(of.timeout))));
  } else {
    std::string says = fmt::format("timed out after {} while {}", format_duration(of.timeout), name_of(at));
    if (!of.newest.part.empty()) says = fmt::format("{}: {}", of.newest.part, says);
    deliver(of, observation::fail(reason::timed_out, std::move(says)));
  }
  of.cancel.emit(asio::cancellation_type::terminal);
}

void scheduler::begin(entry& of, instant at) {
  of.running = true;
  of.delivered = false;
  if (++of.serial == 0) of.serial = 1;
  of.newest = {clock_now(), at + of.timeout, phase::starting};
  ++running_;
  heap_.push({of.newest.deadline, of.number, of.serial});
  asio::co_spawn(loop_, of.observed->look(of.newest),
                 asio::bind_cancellation_slot(of.cancel.slot(), [this, &of](const std::exception_ptr& thrown, observation seen) {
                   ended(of, thrown, std::move(seen));
                 }));
}

void scheduler::ended(entry& of, const std::exception_ptr& thrown, observation seen) {
  of.running = false;
  --running_;
  if (thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& cancelled) {
      seen = observation::fail(reason::own_limits, fmt::format("the probe ended by itself: {}", cancelled.code().message()));
    } catch (const std::bad_alloc&) {
      seen = observation::fail(reason::own_limits, "no memory was left for it");
    } catch (const std::exception& bug) {
      seen = observation::fail(reason::own_limits, fmt::format("the probe failed inside: {}", bug.what()));
    }
  }
  if (stopping_) {
    if (running_ == 0) all_ended_.cancel();
    return;
  }
  if (!of.delivered) deliver(of, std::move(seen));
}

void scheduler::deliver(entry& of, observation seen) {
  of.delivered = true;
  ++counts_.runs;
  seen.latency = clock_now() - of.newest.started;
  if (seen.why == reason::unreachable && !own_network_is_up()) {
    seen = observation::fail(reason::own_network, "our own network is down");
  }
  back_off(of, seen);
  to_(of.number, of.newest, seen);
}

void scheduler::back_off(entry& of, const observation& seen) {
  if (seen.why != reason::unauthorised) {
    of.backoff = {};
  } else if (clock_now() >= of.not_before) {
    // Three wrong passwords lock an application's own user out of some services: don't be the one who sends them.
    of.backoff = std::min<duration>(of.backoff == duration{} ? 2 * of.every : 2 * of.backoff, longest_backoff);
    of.not_before = clock_now() + of.backoff;
    of.refused = seen;
    of.refused.says += fmt::format(" (not tried again for {})", format_duration(of.backoff));
    of.refused.measurements.clear();
  }
}

}  // namespace flipback
