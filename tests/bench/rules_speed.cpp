// Rules over recorded samples: RULES rules on SIGNALS signals, a sample of each signal a second, for SECONDS seconds of recorded time.
//
// usage: rules_speed RULES SIGNALS SECONDS    (at least as many rules as signals)
// prints: samples, changes of verdict, CPU seconds

#include "rules/engine.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

#include <cstdlib>

using namespace flipback;
using namespace flipback::rules;
using std::chrono::seconds;

int main(int argc, char** argv) {
  if (argc < 4 || std::atoi(argv[1]) < std::atoi(argv[2])) return 2;
  const int rules = std::atoi(argv[1]);
  const int signals = std::atoi(argv[2]);
  const int length = std::atoi(argv[3]);
  catalogue known;
  for (int i = 0; i < signals; ++i) {
    const std::string name = fmt::format("p{}.error_rate", i);
    known.add({name, i % 2 == 0 ? signal_kind::ratio : signal_kind::gauge, unit::ratio, seconds(15), 0, name});
  }
  std::vector<rule_source> written;
  for (int i = 0; i < rules; ++i) {
    rule_source r;
    r.name = fmt::format("r{}", i);
    r.when.text = fmt::format("p{}.error_rate over 5m > 5% and p{}.error_rate over 1m > 5%", i % signals, i % signals);
    r.lasting = seconds(30);
    written.push_back(std::move(r));
  }
  settings::diagnostics problems;
  engine judged(compile(written, known, problems));
  std::vector<std::size_t> series;
  for (int i = 0; i < signals; ++i) series.push_back(judged.series_named(fmt::format("p{}.error_rate", i)).value());
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  std::uint64_t samples = 0;
  std::uint64_t changes = 0;
  for (int second = 1; second <= length; ++second) {
    for (int i = 0; i < signals; ++i) {
      const instant at = instant(seconds(1000 + second)) + std::chrono::milliseconds(i);
      const double errors = (second / 400 + i) % 3 == 0 ? 20 : 1;
      const measured value = i % 2 == 0 ? measured(pooled{errors, 100}) : measured(errors / 100);
      judged.add(series[static_cast<std::size_t>(i)], {at - seconds(1), at, value});
      changes += judged.settle(at).size();
      ++samples;
    }
  }
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  const auto cpu = [](const rusage& r) {
    return static_cast<double>(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + static_cast<double>(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
  };
  fmt::print("{} {} {:.6f}\n", samples, changes, cpu(after) - cpu(before));
}
