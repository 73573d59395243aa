// A record of SECONDS seconds, of an agent with nginx's traffic (five ratios, one distribution, 100 requests a second) and GAUGES gauges a
// second, judged again by the built-in rules and by one rule for each tenth gauge.
//
// usage: replay_speed GAUGES SECONDS
// prints: samples, bytes of the record, changes of verdict, CPU seconds

#include "rules/replay/player.hpp"
#include "rules/replay/record.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

#include <array>
#include <cstdlib>
#include <random>

using namespace flipback;
using namespace flipback::rules;
using namespace flipback::rules::replay;
using std::chrono::seconds;

namespace {

constexpr instant start{std::chrono::hours(100)};
constexpr std::array<std::string_view, 5> ratios{"error_rate", "client_error_rate", "success_rate", "limited_rate", "aborted_rate"};

std::string recorded(std::uint32_t gauges, int length) {
  record_writer writer;
  std::string file(magic);
  writer.write(beginning{start, wall_time(seconds(1'795'762'000)), false});
  std::uint32_t series = 0;
  for (const std::string_view ratio : ratios) {
    const std::string name = fmt::format("traffic.{}", ratio);
    writer.write(declared{series++, {name, signal_kind::ratio, unit::ratio, seconds(15), 0, name}});
  }
  writer.write(declared{series++, {"traffic.p95", signal_kind::distribution, unit::seconds, seconds(15), 0.95, "traffic.latencies"}});
  for (std::uint32_t i = 0; i < gauges; ++i) {
    const std::string name = fmt::format("p{}.value", i);
    writer.write(declared{series++, {name, signal_kind::gauge, unit::number, seconds(15), 0, name}});
  }
  std::mt19937 chance(1);  // NOLINT(cert-msc51-cpp): the same each time
  std::lognormal_distribution<double> latency(-3, 0.7);
  for (int second = 1; second <= length; ++second) {
    const instant at = start + seconds(second);
    const double errors = second / 600 % 3 == 1 ? 9 : 1;
    series = 0;
    for (std::size_t i = 0; i < ratios.size(); ++i)
      writer.write(sampled{series++, {at - seconds(1), at, pooled{i == 0 ? errors : 1, 100}}});
    sketch seen;
    for (int i = 0; i < 100; ++i) seen.add(latency(chance));
    writer.write(sampled{series++, {at - seconds(1), at, std::make_shared<const sketch>(seen)}});
    for (std::uint32_t i = 0; i < gauges; ++i) {
      const instant its = at + std::chrono::microseconds(137 * (i + 1));  // each probe comes in its own time
      writer.write(sampled{series++, {its - std::chrono::milliseconds(3), its, second / 60 % 7 * 0.1 + i}});
    }
    file += writer.take();
  }
  return file;
}

double cpu() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(used.ru_utime) + of(used.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto gauges = static_cast<std::uint32_t>(std::atoi(argv[1]));
  const std::string file = recorded(gauges, std::atoi(argv[2]));
  std::vector<rule_source> own;
  for (std::uint32_t i = 0; i < gauges; i += 10) {
    rule_source& r = own.emplace_back();
    r.name = fmt::format("r{}", i);
    r.when.text = fmt::format("p{}.value over 5m > {}", i, i + 0.3);
    r.lasting = seconds(30);
  }
  const double before = cpu();
  settings::diagnostics problems;
  player playing(std::move(own), problems);
  std::size_t changes = 0;
  const auto count = [&](const change&) { ++changes; };
  record_reader reader(file);
  for (auto entries = reader.next(); entries && !entries->empty(); entries = reader.next()) {
    for (const entry& e : *entries) playing.take(e, count);
  }
  playing.end(count);
  fmt::print("{} {} {} {:.6f}\n", playing.samples(), file.size(), changes, cpu() - before);
  return problems.clean() ? 0 : 1;
}
