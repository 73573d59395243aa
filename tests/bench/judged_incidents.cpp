#include "tests/bench/judged_incidents.hpp"

#include <cmath>

namespace flipback::judged {

namespace {

constexpr double background = 0.003;

double poisson(double mean, chance& by) {
  return mean <= 0 ? 0 : static_cast<double>(std::poisson_distribution<std::int64_t>(mean)(by));
}

/// Of so many as chance makes with that mean, each fails with that chance.
pooled second_of(double mean, double share, chance& by) {
  const double errors = poisson(mean * share, by);
  return {errors, errors + poisson(mean * (1 - share), by)};
}

using course = std::function<double(int second)>;  ///< of time since the cutover

course steady(double value) {
  return [value](int) { return value; };
}
course from_cutover(double was, double is, int until = after) {
  return [=](int s) { return s >= 0 && s < until ? is : was; };
}
/// What fails, and of the rest what fails anyway.
course fails(double share, int until = after) {
  return from_cutover(background, share + background * (1 - share), until);
}

auto shares(course share, course traffic = steady(1)) {
  return [=](double rate, chance& by) {
    counts all;
    for (int s = -before; s < after; ++s) all.push_back(second_of(rate * traffic(s), share(s), by));
    return all;
  };
}

/// Errors that come together: `at_once` of them in the seconds given from the first.
auto clumps(course share, std::vector<int> seconds) {
  return [=](double rate, chance& by) {
    counts all(before + after);
    const auto each = static_cast<double>(seconds.size());
    for (int s = -before; s < after; ++s) {
      const double p = share(s);
      all[static_cast<std::size_t>(s + before)].denominator += poisson(rate * (1 - p), by);
      const double clumps_now = poisson(rate * p / each, by);
      for (const int later : seconds) {
        if (s + later >= after) continue;
        pooled& at = all[static_cast<std::size_t>(s + before + later)];
        at.numerator += clumps_now;
        at.denominator += clumps_now;
      }
    }
    return all;
  };
}

/// A job beside the users: all its requests fail, as many as make that share of the whole.
auto cron(int every, int lasts, double share) {
  return [=](double rate, chance& by) {
    counts all;
    for (int s = -before; s < after; ++s) {
      pooled now = second_of(rate, background, by);
      if ((s + before) % every < lasts) {
        const double failing = poisson(rate * share / (1 - share) * every / lasts, by);
        now.numerator += failing;
        now.denominator += failing;
      }
      all.push_back(now);
    }
    return all;
  };
}

/// A share that wanders: the logarithm's correlation from one second to the next is 0.95.
auto wandering(double share) {
  return [=](double rate, chance& by) {
    constexpr double kept = 0.95;
    constexpr double spread = 0.7;
    std::normal_distribution<double> step(0, spread * std::sqrt(1 - kept * kept));
    double log_of = std::normal_distribution<double>(0, spread)(by);
    counts all;
    for (int s = -before; s < after; ++s) {
      log_of = kept * log_of + step(by);
      all.push_back(second_of(rate, std::min(1.0, share * std::exp(log_of - spread * spread / 2)), by));
    }
    return all;
  };
}

/// The share slower than 1 s of a lognormal latency whose P95 is that; σ of its logarithm is 0.5.
double slower_than_a_second(double p95) {
  constexpr double sigma = 0.5;
  const double mu = std::log(p95) - 1.6448536 * sigma;
  return 0.5 * std::erfc(-mu / sigma / std::sqrt(2.0));
}

std::vector<int> at_once(int so_many) {
  return std::vector<int>(static_cast<std::size_t>(so_many), 0);
}

goal at_most(double a, double b, double c, double d) {
  return {{a, b, c, d}, {-1, -1, -1, -1}};
}

void add_healthy(std::vector<incident>& to) {
  const goal one = at_most(1, 1, 1, 1);
  const auto add = [&](std::string name, auto happens) { to.push_back({std::move(name), must::be_left, false, before, one, happens}); };
  add("healthy", shares(steady(background)));
  add("steady 2%", shares(steady(0.02)));
  for (const int s : {1, 3, 10}) {
    add(std::string("first ") + std::to_string(s) + " s all failing", shares(fails(1, s)));
    add(std::string("first ") + std::to_string(s) + " s all failing, traffic doubled by retries",
        shares(fails(1, s), from_cutover(1, 2, s)));
  }
  add("20 s of 30%", shares(fails(0.3, 20)));
  add("60 s of 10%", shares(fails(0.1, 60)));
  add("a deploy's dip of traffic", shares(steady(background), from_cutover(1, 0.3, 30)));
}

void add_no_worse(std::vector<incident>& to) {
  const auto add = [&](std::string name, goal aim, auto happens) {
    to.push_back({std::move(name), must::be_left, false, before, aim, happens});
  };
  add("steady 4%", at_most(1, 6, 1, 1), shares(steady(0.04)));
  add("steady 6%", at_most(9, 8, 1, 1), shares(steady(0.06)));
  add("steady 15%", at_most(9, 8, 1, 1), shares(steady(0.15)));
  add("clumps of 5 at 2%", at_most(1, 2, 1, 1), clumps(steady(0.02), at_once(5)));
  for (const int k : {3, 5, 10}) add("clumps of " + std::to_string(k) + " at 4%", at_most(2, 6, 8, 3), clumps(steady(0.04), at_once(k)));
  add("clumps by a client's back-off, 4%", at_most(7, 13, 10, 3), clumps(steady(0.04), {0, 1, 3, 7, 15}));
  add("old cron, each 60 s", at_most(3, 2, 1, 1), cron(60, 3, 0.06));
  add("old cron, each 300 s", at_most(3, 2, 1, 1), cron(300, 15, 0.06));
  add("drift of the day 4 to 5.5%", at_most(5, 14, 2, 1), shares([](int s) { return 0.04 + 0.015 * (s + before) / (before + after); }));
  add("traffic halves, 3 to 6%", at_most(5, 14, 2, 1), shares(from_cutover(0.03, 0.06), from_cutover(1, 0.5)));
  for (const int minutes : {1, 3}) {
    add("a before of " + std::to_string(minutes) + " min, 6%", at_most(3, 6, 4, 2), shares(steady(0.06)));
    to.back().watched = minutes * 60;
  }
  to.push_back({"4% after 0.3%", must::either, false, before, {}, shares(fails(0.04))});
}

void add_slow(std::vector<incident>& to) {
  const auto add = [&](std::string name, must is, goal aim, auto happens) {
    to.push_back({std::move(name), is, true, before, aim, happens});
  };
  add("P95 truly 0.9 s, lognormal", must::be_left, at_most(2, 6, 1, 1), shares(steady(slower_than_a_second(0.9))));
  add("P95 truly 0.9 s, bimodal", must::be_left, at_most(2, 6, 1, 1), shares(steady(0.04)));
  add("P95 truly 0.9 s, correlated seconds", must::be_left, at_most(6, 26, 28, 30), wandering(0.04));
  add("cold caches, 2 min of P95 1.4 s", must::be_left, at_most(2, 2, 2, 2), shares(fails(slower_than_a_second(1.4), 120)));
  add("P95 truly 1.1 s", must::be_found, {{-1, 100, 100, 100}, {-1, -1, -1, -1}}, shares(fails(slower_than_a_second(1.1))));
  add("30% slow", must::be_found, {{-1, 100, 100, 100}, {-1, 155, 152, 152}}, shares(fails(0.3)));
  add("all slow", must::be_found, {{-1, 100, 100, 100}, {-1, 42, 42, 42}}, shares(fails(1)));
}

void add_found(std::vector<incident>& to) {
  const auto add = [&](std::string name, goal aim, auto happens) {
    to.push_back({std::move(name), must::be_found, false, before, aim, happens});
  };
  add("6%", {{-1, 88, 100, 100}, {-1, -1, -1, -1}}, shares(fails(0.06)));
  add("10%", {{-1, 100, 100, 100}, {-1, 240, 152, 152}}, shares(fails(0.1)));
  add("30%", {{100, 100, 100, 100}, {155, 61, 61, 61}}, shares(fails(0.3)));
  add("60%", {{100, 100, 100, 100}, {70, 31, 31, 31}}, shares(fails(0.6)));
  add("all", {{100, 100, 100, 100}, {48, 21, 21, 21}}, shares(fails(1)));
  add("4 to 8%", {{-1, 70, 100, 100}, {-1, -1, -1, -1}}, shares(from_cutover(0.04, 0.08)));
  add("6 to 12%", {{-1, 83, 100, 100}, {-1, -1, -1, -1}}, shares(from_cutover(0.06, 0.12)));
  add("clumps of 5, 10%", {{-1, 75, 100, 100}, {-1, -1, -1, -1}}, clumps(fails(0.1), at_once(5)));
  add("one worker of 8", {{-1, 93, 100, 100}, {-1, -1, -1, -1}}, shares(fails(0.125)));
  const course as_before = [](int s) { return (s >= 0 || (s >= -400 && s < -100)) ? 0.3 : background; };
  to.push_back({"30%, as for 5 min before", must::be_asked, false, before, at_most(-1, 1, 1, 1), shares(as_before)});
}

}  // namespace

std::vector<incident> all_incidents() {
  std::vector<incident> all;
  add_healthy(all);
  add_no_worse(all);
  add_slow(all);
  add_found(all);
  return all;
}

}  // namespace flipback::judged
