// What a window of five minutes of latencies holds, at RATE requests a second (lognormal, median 50 ms).
//
// usage: window_memory RATE
// prints: bytes on the heap

#include "rules/series.hpp"

#include <fmt/format.h>

#include <malloc.h>

#include <cstdlib>
#include <random>

using namespace flipback;
using namespace flipback::rules;
using std::chrono::seconds;

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const int rate = std::atoi(argv[1]);
  std::mt19937 chance(1);  // NOLINT(cert-msc51-cpp): the same each time
  std::lognormal_distribution<double> latency(-3, 0.7);
  const auto before = ::mallinfo2().uordblks;
  series kept(signal_kind::distribution, seconds(15));
  kept.window(std::chrono::minutes(5), true);
  kept.window(std::chrono::minutes(1), true);
  for (int second = 1; second <= 900; ++second) {
    sketch seen;
    for (int i = 0; i < rate; ++i) seen.add(latency(chance));
    const instant at{seconds(1000 + second)};
    kept.add({at - seconds(1), at, std::make_shared<const sketch>(seen), false});
    kept.advance(at);
  }
  fmt::print("{}\n", ::mallinfo2().uordblks - before);
}
