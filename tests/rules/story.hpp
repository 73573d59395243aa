#pragma once

#include "rules/engine.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

// An engine that is told a story, second by second, for the tests that ask what it makes of it.

namespace flipback::rules::story_telling {

using std::chrono::seconds;

inline catalogue traffic_signals() {
  catalogue all;
  const auto traffic = [&](signal s, telling tells = telling::requests) {
    s.tells = tells;
    all.add(std::move(s));
  };
  traffic({"traffic.error_rate", signal_kind::ratio, unit::ratio, seconds(15), 0, "traffic.error_rate"}, telling::errors);
  traffic({"traffic.aborted_rate", signal_kind::ratio, unit::ratio, seconds(15), 0, "traffic.aborted_rate"});
  traffic({"traffic.p95", signal_kind::distribution, unit::seconds, seconds(15), 0.95, "traffic.latencies"});
  all.add({"postgres.reachable", signal_kind::outcome, unit::number, seconds(15), 0, "postgres.reachable"});
  all.add({"stable.up", signal_kind::outcome, unit::number, seconds(3), 0, "stable.up"});
  return all;
}

/// An engine with a clock of seconds, and traffic told as requests and errors a second.
struct story {
  explicit story(std::vector<rule_source> rules, const catalogue& signals = traffic_signals()) {
    settings::diagnostics problems;
    judged = engine(compile(rules, signals, problems));
    for (const auto& p : problems.sorted()) FAIL(to_string(p));
  }
  static instant at(double s) { return instant(std::chrono::duration_cast<duration>(std::chrono::duration<double>(100'000 + s))); }

  void take(std::vector<change> changes) {
    for (const change& c : changes) {
      const std::string what = c.kind == change_kind::blind ? "blind" : fmt::format("{} to {}", name_of(c.from), name_of(c.to));
      log.push_back(fmt::format("{:.1f} {} {}{}", std::chrono::duration<double>(c.at - at(0)).count(), judged.rules()[c.rule].from.name,
                                what, c.not_this_release ? " (not this release)" : ""));
    }
  }
  void second(double requests, double errors) {
    ++now;
    advance_to(now);
    if (const auto series = judged.series_named("traffic.error_rate")) {
      judged.add(*series, {at(now - 1), at(now), pooled{errors, requests}, requests == 0});
    }
    take(judged.settle(at(now)));
  }
  void seconds_of(int count, double requests, double errors) {
    for (int i = 0; i < count; ++i) second(requests, errors);
  }
  void advance_to(double until) {
    while (judged.due() && *judged.due() <= at(until)) {
      const instant due = *judged.due() == instant::min() ? at(until) : *judged.due();
      take(judged.settle(due));
    }
  }

  engine judged;
  double now = 0;
  std::vector<std::string> log;
};

/// Its windows need not be full, so that a story can be short.
inline rule_source rollback_rule(std::string when) {
  rule_source r;
  r.partial = true;
  r.name = "r";
  r.when.text = std::move(when);
  r.then = consequence::rollback;
  return r;
}

/// Told changes as one text, so that a failure shows them.
struct lines {
  lines(std::initializer_list<const char*> all) : text(fmt::format("{}", fmt::join(all, "; "))) {}
  std::string text;
};
inline std::string told(const story& s) {
  return fmt::format("{}", fmt::join(s.log, "; "));
}

}  // namespace flipback::rules::story_telling
