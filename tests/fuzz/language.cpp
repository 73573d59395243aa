#include "rules/compile.hpp"
#include "rules/engine.hpp"

#include <cmath>
#include <cstdlib>
#include <string>

// An input is a rule's condition. Whatever it says: it compiles or is reported at a place inside it, and what compiles can be evaluated.

using namespace flipback;
using namespace flipback::rules;
using std::chrono::seconds;

namespace {

void hold(bool condition) {
  if (!condition) std::abort();
}

const catalogue& signals() {
  static const catalogue made = [] {
    catalogue all;
    all.add({"api.up", signal_kind::outcome, unit::number, seconds(30), 0, "api.up"});
    all.add({"redis.memory_used", signal_kind::gauge, unit::bytes, seconds(30), 0, "redis.memory_used"});
    all.add({"postgres.deadlocks", signal_kind::counter, unit::number, seconds(30), 0, "postgres.deadlocks"});
    all.add({"traffic.error_rate", signal_kind::ratio, unit::ratio, seconds(15), 0, "traffic.error_rate"});
    all.add({"traffic.p95", signal_kind::distribution, unit::seconds, seconds(15), 0.95, "traffic.latencies"});
    return all;
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;  // reported when the configuration is read
  rule_source rule;
  rule.name = "it";
  rule.when = {std::string(reinterpret_cast<const char*>(data), size), {"rules.toml", 1, 1}};
  settings::diagnostics problems;
  engine judged(compile(std::span(&rule, 1), signals(), problems));
  hold(problems.clean() == (judged.rules().size() == 1));
  for (const settings::problem& p : problems.sorted())
    hold(p.at.line == 1 && p.at.column >= 1 && p.at.column <= size + 1 && !p.says.empty());
  if (judged.rules().empty()) return 0;
  instant now{seconds(1000)};
  for (int i = 0; i < 3; ++i, now += seconds(1)) {
    for (const signal& s : signals().all()) {
      const auto series = judged.series_named(s.samples);
      if (!series) continue;
      measured value = static_cast<double>(i);
      if (s.kind == signal_kind::ratio) value = pooled{static_cast<double>(i), 10};
      if (s.kind == signal_kind::distribution) value = std::make_shared<const sketch>();
      judged.add(*series, {now - seconds(1), now, value, false});
    }
    judged.settle(now);
    hold(!judged.explain(0, now).says.empty());
  }
  return 0;
}
