#include "agent/serve/own_times.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace flipback;
using namespace std::chrono_literals;

namespace {

/// How many of what was told took no longer than this many seconds.
std::uint64_t up_to(double seconds, const prometheus::Histogram& of) {
  for (const auto& bucket : of.Collect().histogram.bucket) {
    if (bucket.upper_bound == seconds) return bucket.cumulative_count;
  }
  FAIL("there is no such bound");
  return 0;
}

}  // namespace

TEST_CASE("times_are_counted_up_to_their_bounds_and_beyond_the_last") {
  serve::own_times times;
  for (const duration late : {duration(0), duration(1ms), duration(400ms), duration(500ms), duration(11s)}) times.woke(late);
  CHECK(up_to(0.001, times.lag()) == 2);
  CHECK(up_to(0.1, times.lag()) == 2);
  CHECK(up_to(0.5, times.lag()) == 4);
  CHECK(up_to(10, times.lag()) == 4);
  CHECK(times.lag().Collect().histogram.sample_count == 5);
  CHECK(times.lag().Collect().histogram.sample_sum == doctest::Approx(11.901));
}

TEST_CASE("the_longest_lag_is_of_the_time_since_it_was_asked_last") {
  serve::own_times times;
  CHECK(times.take_longest_lag() == 0ms);
  times.woke(20ms);
  times.woke(300ms);
  times.woke(10ms);
  CHECK(times.take_longest_lag() == 300ms);
  CHECK(times.take_longest_lag() == 0ms);
  times.woke(5ms);
  CHECK(times.take_longest_lag() == 5ms);
}

TEST_CASE("another_thread_may_tell_what_its_writes_took") {
  serve::own_times times;
  {
    const std::jthread disk([&] {
      for (int i = 0; i < 1000; ++i) times.wrote(2ms);
    });
    for (int i = 0; i < 1000; ++i) CHECK(times.writes().Collect().histogram.sample_count <= 1000);
  }
  CHECK(up_to(0.005, times.writes()) == 1000);
}
