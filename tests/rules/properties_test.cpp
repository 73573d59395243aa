#include "rules/engine.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

// What must hold whatever happens: stories made by chance, each from its own seed, so that a failure can be had again.

using namespace flipback;
using namespace flipback::rules;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr int stories = 400;

catalogue signals() {
  catalogue all;
  all.add({"g.x", signal_kind::gauge, unit::number, std::chrono::hours(1), 0, "g.x"});
  all.add({"t.rate", signal_kind::ratio, unit::ratio, seconds(15), 0, "t.rate"});
  all.add({"t.p95", signal_kind::distribution, unit::seconds, seconds(15), 0.95, "t.latencies"});
  return all;
}

engine judge_of(const std::vector<rule_source>& rules) {
  settings::diagnostics problems;
  auto compiled = compile(rules, signals(), problems);
  for (const auto& p : problems.sorted()) FAIL(to_string(p));
  return engine(std::move(compiled));
}

/// What a gauge showed at a time; nothing: unknown.
struct point {
  duration at;
  std::optional<double> value;
};

std::vector<point> by_chance(std::mt19937_64& chance, int count) {
  std::vector<point> all;
  duration at{};
  std::uniform_int_distribution<int> pause(200, 4000);
  std::uniform_int_distribution<int> kind(0, 19);
  int shown = 0;
  for (int i = 0; i < count; ++i) {
    at += milliseconds(pause(chance));
    if (kind(chance) < 4) shown = kind(chance);  // what it shows mostly stays
    all.push_back({at, shown < 4 ? std::nullopt : std::optional(shown < 8 ? 0.0 : 2.0)});
  }
  return all;
}

/// The engine's changes as text, with times from `start`: what "byte for byte" is held against.
std::string told(const std::vector<change>& changes, const engine& by, instant start) {
  std::string all;
  for (const change& c : changes) {
    all += fmt::format("{} {} {}->{} {} {}\n", (c.at - start).count(), by.rules()[c.rule].from.name, name_of(c.from), name_of(c.to),
                       c.why.says, c.true_since ? (*c.true_since - start).count() : -1);
  }
  return all;
}

struct watched {
  std::vector<change> changes;
  std::vector<std::pair<duration, truth>> evaluated;  ///< each time at which the condition was looked at
};

/// Lets the engine live through the points, waking when it asks to be woken.
watched live_through(engine& judged, const std::vector<point>& points, instant start) {
  watched seen;
  const std::size_t series = judged.series_named("g.x").value();
  const auto settle = [&](instant now) {
    for (change& c : judged.settle(now)) seen.changes.push_back(std::move(c));
    seen.evaluated.emplace_back(now - start, judged.explain(0, now).is);
  };
  for (const point& p : points) {
    while (judged.due() && *judged.due() != instant::min() && *judged.due() < start + p.at) settle(*judged.due());
    judged.add(series, {start + p.at, start + p.at, p.value ? std::optional<measured>(*p.value) : std::nullopt, false});
    settle(start + p.at);
  }
  return seen;
}

rule_source held(duration hold, duration gap) {
  rule_source r;
  r.name = "held";
  r.when.text = "g.x > 1";
  r.lasting = hold;
  r.gap = gap;
  return r;
}

/// Whether the condition was never false in [from, to], its unknown stretches each shorter than `gap` and together at most half of `hold`.
bool held_true(const watched& seen, duration from, duration to, duration hold, duration gap) {
  duration unknown{};
  std::optional<duration> since;
  for (const auto& [at, is] : seen.evaluated) {
    if (at < from || at > to) continue;
    if (is == truth::no) return false;
    if (is == truth::unknown && !since) since = at;
    if (is != truth::yes || !since) continue;
    if (at - *since >= gap) return false;
    unknown += at - *since;
    since.reset();
  }
  return !since && unknown <= hold / 2;
}

}  // namespace

TEST_CASE("a_breach_has_had_a_true_condition_for_the_whole_of_for_and_a_true_one_breaches") {
  int breaches = 0;
  for (int seed = 0; seed < stories; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 chance(seed);
    const duration hold = seconds(std::uniform_int_distribution<int>(0, 20)(chance));
    const duration gap = seconds(std::uniform_int_distribution<int>(1, 8)(chance));
    engine judged = judge_of({held(hold, gap)});
    const instant start(std::chrono::hours(1));
    const watched seen = live_through(judged, by_chance(chance, 150), start);
    for (const change& c : seen.changes) {
      if (c.to != verdict::breached) continue;
      ++breaches;
      CHECK(c.why.is == truth::yes);  // unknown never breaches
      REQUIRE(c.true_since);
      CHECK(c.at - *c.true_since >= hold);
      CHECK(held_true(seen, *c.true_since - start, c.at - start, hold, gap));
    }
    // The other way round: nothing but true for as long as `for` is a breach at that instant, or it has been one since before.
    verdict said = verdict::unknown;
    std::size_t next = 0;
    std::optional<duration> since;
    for (const auto& [at, is] : seen.evaluated) {
      for (; next < seen.changes.size() && seen.changes[next].at <= start + at; ++next) said = seen.changes[next].to;
      if (is != truth::yes) since.reset();
      if (is == truth::yes && !since) since = at;
      if (since && at - *since >= hold) CHECK(said == verdict::breached);
    }
  }
  CHECK(breaches > stories / 4);  // or the stories are too dull to show anything
}

TEST_CASE("the_same_story_gives_the_same_events_byte_for_byte_at_whatever_time_it_happens") {
  for (int seed = 0; seed < stories; ++seed) {
    CAPTURE(seed);
    std::string first;
    for (const auto& start :
         {instant(std::chrono::hours(1)), instant(std::chrono::hours(1)), instant(std::chrono::hours(9000) + milliseconds(7))}) {
      std::mt19937_64 chance(seed);
      engine judged = judge_of({held(seconds(5), seconds(3)), [] {
                                  rule_source r = held(seconds(0), seconds(2));
                                  r.name = "windowed";
                                  r.when.text = "max(g.x over 10s) > 1 and count(g.x over 10s) >= 3 or not g.x over 20s > 0.5";
                                  r.until.text = "g.x over 30s < 0.9";
                                  return r;
                                }()});
      const std::string text = told(live_through(judged, by_chance(chance, 100), start).changes, judged, start);
      if (first.empty()) first = text;
      CHECK(text == first);
    }
  }
}

TEST_CASE("a_second_told_in_parts_is_the_same_second") {
  rule_source rate = held({}, seconds(30));
  rate.name = "rate";
  rate.when.text = "t.rate over 30s > 5% and t.rate over 10s > 5%";
  rate.min_samples = 20;
  rate.min_errors = 3;
  rule_source slow = rate;
  slow.name = "slow";
  slow.when.text = "t.p95 over 30s > 200ms";
  slow.min_errors = 0;
  const instant start(std::chrono::hours(1));
  for (int seed = 0; seed < stories / 4; ++seed) {
    CAPTURE(seed);
    std::string whole;
    for (const int parts : {1, 3}) {
      std::mt19937_64 chance(seed);
      engine judged = judge_of({rate, slow});
      std::vector<change> changes;
      double share = 0.02;
      for (int second = 1; second <= 120; ++second) {
        if (second % 20 == 0) share = std::uniform_real_distribution<>(0, 0.12)(chance);
        const instant now = start + seconds(second);
        std::vector<pooled> rates(parts);
        std::vector<std::shared_ptr<sketch>> latencies;
        for (int i = 0; i < parts; ++i) latencies.push_back(std::make_shared<sketch>());
        const int requests = std::uniform_int_distribution<int>(0, 9)(chance);
        for (int i = 0; i < requests; ++i) {
          const bool fails = std::bernoulli_distribution(share)(chance);
          const double took = std::lognormal_distribution<>(-2.5, 0.8)(chance);
          pooled& into = rates[static_cast<std::size_t>(i % parts)];
          into.numerator += fails ? 1 : 0;
          into.denominator += 1;
          latencies[static_cast<std::size_t>(i % parts)]->add(took);
        }
        for (std::size_t i = 0; i < rates.size(); ++i) {
          judged.add(judged.series_named("t.rate").value(), {now - seconds(1), now, rates[i], rates[i].denominator == 0});
          judged.add(judged.series_named("t.latencies").value(),
                     {now - seconds(1), now, std::shared_ptr<const sketch>(latencies[i]), latencies[i]->count() == 0});
        }
        for (change& c : judged.settle(now)) changes.push_back(std::move(c));
      }
      const std::string text = told(changes, judged, start);
      if (parts == 1) whole = text;
      CHECK(text == whole);
    }
  }
}
