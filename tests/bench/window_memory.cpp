// What windows hold.
//
// usage: window_memory latencies RATE   (five minutes of latencies at RATE requests a second: lognormal, median 50 ms)
//        window_memory counts           (a ratio's counts of five minutes, with the ten minutes before a cutover)
//        window_memory paths N          (the same of N paths of which each is asked for, and fails, every second)
// prints: bytes on the heap

#include "rules/series.hpp"

#include <fmt/format.h>

#include <malloc.h>

#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace flipback;
using namespace flipback::rules;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// A quarter of an hour, a sample a second.
template <typename Value>
void keep(series& in, Value value) {
  in.window(minutes(5), series::start::full);
  in.window(minutes(1), series::start::full);
  for (int second = 1; second <= 900; ++second) {
    const instant at{seconds(1000 + second)};
    in.add({at - seconds(1), at, value(), false});
    in.advance(at);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view of = argc < 2 ? "" : argv[1];
  const int number = argc < 3 ? 0 : std::atoi(argv[2]);
  std::mt19937 chance(1);  // NOLINT(cert-msc51-cpp): the same each time
  std::lognormal_distribution<double> latency(-3, 0.7);
  std::vector<std::shared_ptr<const std::string>> paths;
  for (int i = 0; i < number && of == "paths"; ++i)
    paths.push_back(std::make_shared<const std::string>(fmt::format("/api/v1/things/*/{}", i)));
  const auto before = ::mallinfo2().uordblks;
  series kept(of == "counts" ? signal_kind::ratio : of == "paths" ? signal_kind::ratios : signal_kind::distribution, seconds(15));
  if (of == "latencies") {
    keep(kept, [&] {
      sketch seen;
      for (int i = 0; i < number; ++i) seen.add(latency(chance));
      return measured(std::make_shared<const sketch>(seen));
    });
  } else if (of == "counts") {
    kept.look_back();
    keep(kept, [] { return measured(pooled{1, 100}); });
  } else if (of == "paths") {
    kept.look_back();
    keep(kept, [&] {
      ratios seen;
      for (const auto& path : paths) seen.push_back({path, 1, 2});
      return measured(std::make_shared<const ratios>(std::move(seen)));
    });
  } else {
    return 2;
  }
  fmt::print("{}\n", ::mallinfo2().uordblks - before);
}
