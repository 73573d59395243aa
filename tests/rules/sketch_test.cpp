#include "flipback/sketch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <utility>
#include <vector>

using flipback::sketch;

TEST_CASE("a_quantile_is_within_one_percent_of_the_exact_one") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 50; ++round) {
    std::lognormal_distribution<double> latencies(-4 + round % 7, 0.2 + 0.3 * (round % 5));
    std::vector<double> exact;
    sketch s;
    for (int i = 0; i < 1 + round * 37; ++i) {
      exact.push_back(std::clamp(latencies(random), 1e-6, 1e6));
      s.add(exact.back());
    }
    std::ranges::sort(exact);
    for (const double q : {0.0, 0.5, 0.9, 0.95, 0.99, 1.0}) {
      const double wanted = exact[static_cast<std::size_t>(q * static_cast<double>(exact.size() - 1))];
      CHECK(std::abs(*s.quantile(q) - wanted) <= 0.0101 * wanted);
    }
  }
}

TEST_CASE("whatever_the_latencies_look_like_merged_sketches_are_within_one_percent_of_them_all") {
  std::mt19937_64 chance(11);
  std::uniform_real_distribution<double> evenly(0.001, 2);
  std::lognormal_distribution<double> skewed(-3, 1);
  std::normal_distribution<double> quick(0.02, 0.002);
  std::normal_distribution<double> slow(1.5, 0.1);
  const auto one_in = [&](int n) { return chance() % static_cast<unsigned>(n) == 0; };
  int number = 0;
  const std::vector<std::pair<const char*, std::function<double()>>> shapes{
      {"uniform", [&] { return evenly(chance); }},
      {"lognormal", [&] { return skewed(chance); }},
      {"bimodal", [&] { return one_in(10) ? slow(chance) : quick(chance); }},
      {"with zeros", [&] { return one_in(5) ? 0 : skewed(chance); }},
      {"with one outlier of an hour", [&] { return ++number == 5000 ? 3600 : quick(chance); }}};
  for (const auto& [name, latency] : shapes) {
    CAPTURE(name);
    std::vector<double> exact;
    sketch whole;
    sketch merged;
    for (int second = 0; second < 100; ++second) {
      sketch part;
      for (int i = 0; i < 100; ++i) {
        exact.push_back(latency());
        whole.add(exact.back());
        part.add(exact.back());
      }
      merged.merge(part);
    }
    std::ranges::sort(exact);
    for (const double q : {0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
      CAPTURE(q);
      const double wanted = exact[static_cast<std::size_t>(q * static_cast<double>(exact.size() - 1))];
      CHECK(std::abs(*merged.quantile(q) - wanted) <= 0.0101 * wanted);
      CHECK(merged.quantile(q) == whole.quantile(q));
    }
    CHECK(merged.count() == whole.count());
  }
}

TEST_CASE("what_is_merged_and_removed_again_leaves_no_trace") {
  sketch window;
  sketch a;
  sketch b;
  for (int i = 1; i <= 100; ++i) a.add(i * 0.001);
  b.add(5);
  b.add(0);
  window.merge(a);
  const auto before = window.quantile(0.95);
  window.merge(b);
  CHECK(window.count() == 102);
  window.remove(b);
  CHECK(window.quantile(0.95) == before);
  window.remove(a);
  CHECK(window.count() == 0);
  CHECK_FALSE(window.quantile(0.5).has_value());
}

TEST_CASE("odd_values_count_and_harm_nothing") {
  sketch s;
  s.add(0);
  s.add(-1);
  s.add(std::nan(""));
  s.add(1e300);
  CHECK(s.count() == 4);
  CHECK(*s.quantile(0) == 0);
  CHECK(*s.quantile(1) == doctest::Approx(1e6).epsilon(0.02));
}
