#include "flipback/histogram.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <utility>
#include <vector>

using namespace flipback;

namespace {

constexpr double infinity = HUGE_VAL;
using buckets = std::vector<std::pair<double, double>>;

histogram of(const buckets& all) {
  histogram made;
  for (const auto& [upper, count] : all) made.add(upper, count);
  return made;
}

}  // namespace

// The values are Prometheus' (promql/testdata/histograms.test), and the edges of its bucketQuantile.
TEST_CASE("quantiles_are_prometheus_own") {
  const histogram first = of({{0.1, 5}, {0.2, 5}, {1, 10}, {2, 10}, {infinity, 10}});
  CHECK(first.quantile(0) == 0);
  CHECK(first.quantile(0.25) == doctest::Approx(0.05));
  CHECK(first.quantile(0.5) == 0.1);
  CHECK(first.quantile(0.75) == doctest::Approx(0.6));
  CHECK(first.quantile(1) == 1);
  const histogram second = of({{0.2, 0}, {0.1, 0}, {infinity, 8}});
  CHECK(second.quantile(0.5) == 0.2);
  const histogram above = of({{0.1, 50}, {1, 60}, {infinity, 100}});
  CHECK(above.quantile(0.95) == 1);
  CHECK(above.largest_bound() == 1);
  CHECK(of({{-1, 3}, {1, 4}, {infinity, 4}}).quantile(0.5) == -1);
  CHECK(of({{0, 3}, {1, 4}, {infinity, 4}}).quantile(0.5) == 0);
  CHECK(of({{-1, 0}, {1, 4}, {infinity, 4}}).quantile(0.5) == 0);
}

TEST_CASE("what_has_no_quantile_is_nan_and_what_lies_outside_is_infinite") {
  const histogram some = of({{1, 5}, {infinity, 10}});
  CHECK(some.quantile(-0.1) == -infinity);
  CHECK(some.quantile(1.1) == infinity);
  CHECK(std::isnan(some.quantile(std::nan(""))));
  CHECK(std::isnan(of({}).quantile(0.5)));
  CHECK(std::isnan(of({{infinity, 10}}).quantile(0.5)));
  CHECK(std::isnan(of({{1, 5}, {2, 10}}).quantile(0.5)));
  CHECK(std::isnan(of({{1, 0}, {infinity, 0}}).quantile(0.5)));
  CHECK(std::isnan(of({{1, 0}, {infinity, 5}}).quantile(0)));  // 0/0 inside the first bucket
  CHECK(std::isnan(histogram().largest_bound()));
  CHECK(of({{1, 5}}).count() == 0);
}

TEST_CASE("equal_bounds_are_summed_and_counts_that_fall_are_mended") {
  CHECK(of({{1, 2}, {1, 3}, {2, 10}, {infinity, 10}}).quantile(0.5) == 1);
  CHECK(of({{1, 6}, {2, 4}, {3, 10}, {infinity, 8}}).quantile(0.6) == 1);
  CHECK(of({{1, 6}, {2, 6 + 1e-12}, {3, 10}, {infinity, 10}}).quantile(0.6 + 2e-15) ==
        doctest::Approx(2));  // not inside the second: it counts 6 too
}

TEST_CASE("a_window_slides_without_a_trace") {
  std::mt19937_64 random(7);
  std::vector<histogram> all;
  for (int i = 0; i < 50; ++i) {
    buckets b;
    double count = 0;
    for (const double upper : {0.1, 0.5, 1.0, 2.5, infinity}) b.emplace_back(upper, count += static_cast<double>(random() % 9));
    all.push_back(of(b));
  }
  histogram window;
  for (std::size_t i = 0; i < all.size(); ++i) {
    window.merge(all[i]);
    if (i >= 10) window.remove(all[i - 10]);
    histogram fresh;
    for (std::size_t n = i >= 10 ? i - 9 : 0; n <= i; ++n) fresh.merge(all[n]);
    for (const double q : {0.0, 0.5, 0.95, 1.0})
      CHECK((window.quantile(q) == fresh.quantile(q) || (std::isnan(window.quantile(q)) && std::isnan(fresh.quantile(q)))));
    CHECK(window.is_uniform());
  }
}

TEST_CASE("different_buckets_make_no_distribution_until_one_kind_is_left") {
  const histogram before = of({{1, 100}, {infinity, 100}});
  const histogram after = of({{0.5, 100}, {10, 100}, {infinity, 100}});
  histogram window;
  window.merge(before);
  window.merge(after);
  CHECK_FALSE(window.is_uniform());
  CHECK(window.quantile(0.95) == doctest::Approx(10));  // what a sum by le would say of requests that all took less than a second
  window.remove(before);
  CHECK(window.is_uniform());
  CHECK(window.quantile(0.95) <= 0.5);
}

TEST_CASE("bounds_have_a_bound") {
  histogram h;
  for (std::size_t i = 0; i < histogram::most_bounds; ++i) CHECK(h.add(static_cast<double>(i), 1));
  CHECK_FALSE(h.add(-1, 1));
  CHECK(h.add(0, 1));
}
