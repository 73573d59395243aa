// What a sample costs that one rule reads, beside OTHERS rules on as many other signals: `quiet` ones never had a sample, `fed` ones have
// had one a second for the last 50 seconds.
//
// usage: rules_curve OTHERS quiet|fed
// prints: nanoseconds of CPU a sample

#include "rules/engine.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

#include <cstdlib>
#include <string_view>

using namespace flipback;
using namespace flipback::rules;
using std::chrono::microseconds;
using std::chrono::seconds;

namespace {

constexpr int samples = 100'000;
constexpr seconds fed_for{50};  ///< each rule looks every 15 s whether its signal went stale, at its own cost: at 46 s, and at 61 s

double cpu() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const int others = std::atoi(argv[1]);
  const bool fed = std::string_view(argv[2]) == "fed";
  catalogue known;
  std::vector<rule_source> written;
  for (int i = 0; i <= others; ++i) {
    const std::string name = fmt::format("p{}.error_rate", i);
    known.add({name, signal_kind::ratio, unit::ratio, seconds(15), 0, name});
    rule_source r;
    r.name = fmt::format("r{}", i);
    r.when.text = fmt::format("{} over 5m > 5% and {} over 1m > 5%", name, name);
    r.lasting = seconds(30);
    written.push_back(std::move(r));
  }
  settings::diagnostics problems;
  engine judged(compile(written, known, problems));
  std::vector<std::size_t> series;
  for (int i = 0; i <= others; ++i) series.push_back(judged.series_named(fmt::format("p{}.error_rate", i)).value());
  instant at{seconds(1000)};
  const measured value = pooled{1, 100};
  for (const instant until = at + fed_for; at < until; at += seconds(1)) {
    for (std::size_t i = 0; i < (fed ? series.size() : 1); ++i) judged.add(series[i], {at - seconds(1), at, value});
    judged.settle(at);
  }
  const double before = cpu();
  for (int i = 0; i < samples; ++i) {  // in ten seconds, in which no other rule is due
    const instant now = at + i * microseconds(100);
    judged.add(series[0], {now, now, value});
    judged.settle(now);
  }
  fmt::print("{:.1f}\n", (cpu() - before) / samples * 1e9);
}
