// How often, and how soon, a release with a given share of errors is found out: the built-in rule `error-rate` beside "> 5% for 5m" read
// literally. Requests come by chance (Poisson), each fails by chance; every run is 15 minutes from a cutover, seeded and repeatable.
//
// usage: firing RUNS REQUESTS_A_SECOND ERROR_SHARE SEED
// prints: runs in which `error-rate` breached, the median of when (seconds after the cutover, 0: never); the same for the literal rule

#include "rules/built_in.hpp"
#include "rules/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <random>

using namespace flipback;
using namespace flipback::rules;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr int length = 900;  // seconds: the rollback window

catalogue traffic_signals() {
  catalogue all;
  all.add({"traffic.error_rate", signal_kind::ratio, unit::ratio, seconds(15), 0, "traffic.error_rate"});
  return all;
}

std::vector<rule_source> both() {
  rule_set built_in = with_built_ins({}, traffic_signals(), true);
  std::vector<rule_source> rules;
  for (rule_source& r : built_in.on) {
    if (r.name == "error-rate") rules.push_back(std::move(r));
  }
  rule_source literal;
  literal.name = "literal";
  literal.when.text = "traffic.error_rate > 5%";
  literal.lasting = minutes(5);
  literal.then = consequence::rollback;
  rules.push_back(std::move(literal));
  return rules;
}

/// Seconds after the cutover at which each rule first breached; 0: never.
std::vector<double> one_run(const std::vector<rule_source>& rules, double rate, double share, std::mt19937_64& chance) {
  settings::diagnostics problems;
  engine judged(compile(rules, traffic_signals(), problems));
  const std::size_t series = judged.series_named("traffic.error_rate").value();
  const instant cutover(seconds(1000));
  judged.cutover(cutover);
  judged.window(true);
  std::poisson_distribution<std::int64_t> requests(rate);
  std::vector<double> breached(rules.size(), 0);
  for (int second = 1; second <= length; ++second) {
    const instant now = cutover + seconds(second);
    const std::int64_t all = requests(chance);
    const std::int64_t errors = std::binomial_distribution<std::int64_t>(all, share)(chance);
    judged.add(series, {now - seconds(1), now, pooled{static_cast<double>(errors), static_cast<double>(all)}, all == 0});
    for (const change& c : judged.settle(now)) {
      if (c.to == verdict::breached && breached[c.rule] == 0) breached[c.rule] = second;
    }
  }
  return breached;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const int runs = std::atoi(argv[1]);
  std::mt19937_64 chance(std::strtoull(argv[4], nullptr, 10));
  const std::vector<rule_source> rules = both();
  std::vector<std::vector<double>> when(rules.size());
  for (int run = 0; run < runs; ++run) {
    const auto breached = one_run(rules, std::atof(argv[2]), std::atof(argv[3]), chance);
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (breached[i] > 0) when[i].push_back(breached[i]);
    }
  }
  for (auto& times : when) {
    std::ranges::sort(times);
    fmt::print("{} {:.0f} ", times.size(), times.empty() ? 0 : times[times.size() / 2]);
  }
  fmt::print("\n");
}
