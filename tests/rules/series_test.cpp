#include "rules/series.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace flipback;
using namespace flipback::rules;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

instant at(double s) {
  return instant(std::chrono::duration_cast<duration>(std::chrono::duration<double>(1000 + s)));
}
sample plain(double s, double value) {
  return {at(s), at(s), value, false};
}

}  // namespace

TEST_CASE("a_window_is_open_at_its_old_end_and_closed_at_its_new_one") {
  series s(signal_kind::gauge, seconds(60));
  const auto w = s.window(seconds(10), series::start::kept);
  s.add(plain(0, 100));
  s.add(plain(10, 1));
  s.advance(at(10));
  CHECK(*s.read(w, function::over, 0, at(10)) == 1);  // (0, 10]: the sample at 0 is out, the one at 10 is in
}

TEST_CASE("ratios_are_pooled_as_a_naive_sum_would_pool_them") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 20; ++round) {
    series s(signal_kind::ratio, seconds(3600));
    const auto w = s.window(seconds(30), series::start::kept);
    std::vector<std::pair<double, pooled>> all;
    double t = 0;
    for (int i = 0; i < 300; ++i) {
      t += static_cast<double>(random() % 4000) / 1000;
      const pooled p{static_cast<double>(random() % 10), static_cast<double>(random() % 100)};
      all.emplace_back(t, p);
      s.add({at(t), at(t), p, false});
      s.advance(at(t));
      pooled naive;
      for (const auto& [when, one] : all) {
        if (at(when) > at(t) - seconds(30)) naive = {naive.numerator + one.numerator, naive.denominator + one.denominator};
      }
      const auto found = s.read(w, function::over, 0, at(t));
      if (naive.denominator == 0)
        CHECK_FALSE(found.has_value());
      else
        CHECK(*found == doctest::Approx(naive.numerator / naive.denominator).epsilon(1e-12));
      CHECK(s.filled(w).samples == naive.denominator);
    }
  }
}

TEST_CASE("counters_count_over_resets_and_extrapolate_nothing") {
  series s(signal_kind::counter, seconds(60));
  const auto w = s.window(seconds(10), series::start::kept);
  for (const auto& [t, value] : {std::pair{1.0, 5.0}, {3.0, 8.0}, {5.0, 2.0}, {7.0, 3.0}}) s.add(plain(t, value));
  s.advance(at(8));
  CHECK(*s.read(w, function::increase, 0, at(8)) == 3 + 2 + 1);
  CHECK(*s.read(w, function::over, 0, at(8)) == doctest::Approx(0.6));
}

TEST_CASE("one_counter_sample_is_no_increase") {
  series s(signal_kind::counter, seconds(60));
  const auto w = s.window(seconds(10), series::start::kept);
  s.add(plain(1, 5));
  s.advance(at(2));
  CHECK_FALSE(s.read(w, function::increase, 0, at(2)).has_value());
}

TEST_CASE("what_is_stale_absent_or_no_number_has_no_value") {
  series s(signal_kind::gauge, seconds(15));
  const auto w = s.window(seconds(60), series::start::kept);
  CHECK_FALSE(s.newest(false, at(0)).has_value());
  s.add(plain(0, 1));
  s.advance(at(15));
  CHECK(s.newest(false, at(15)).has_value());
  CHECK_FALSE(s.newest(false, at(15.1)).has_value());
  CHECK_FALSE(s.read(w, function::over, 0, at(15.1)).has_value());
  s.add(plain(16, std::nan("")));
  CHECK_FALSE(s.newest(false, at(16)).has_value());
  s.add(plain(17, 3));
  CHECK(*s.newest(false, at(17)) == 3);
  s.add({at(18), at(18), std::nullopt, false});
  CHECK_FALSE(s.newest(false, at(18)).has_value());
}

TEST_CASE("quiet_samples_pool_but_keep_nothing_fresh") {
  series s(signal_kind::ratio, seconds(15));
  const auto w = s.window(seconds(60), series::start::kept);
  s.add({at(0), at(1), pooled{1, 10}, false});
  for (int t = 2; t < 20; ++t) s.add({at(t - 1), at(t), pooled{0, 0}, true});
  s.advance(at(15));
  CHECK(*s.read(w, function::over, 0, at(15)) == doctest::Approx(0.1));
  CHECK_FALSE(s.read(w, function::over, 0, at(17)).has_value());
}

TEST_CASE("since_a_cutover_only_samples_that_lie_wholly_after_it_count") {
  series s(signal_kind::ratio, seconds(60));
  const auto all = s.window(seconds(60), series::start::kept);
  const auto since = s.window(seconds(60), series::start::at_cutover);
  s.add({at(0), at(1), pooled{1, 10}, false});
  s.cutover(at(1.5));
  s.add({at(1), at(2), pooled{5, 10}, false});  // began before the cutover
  s.add({at(2), at(3), pooled{2, 10}, false});
  s.advance(at(3));
  CHECK(*s.read(all, function::over, 0, at(3)) == doctest::Approx(8.0 / 30));
  CHECK(*s.read(since, function::over, 0, at(3)) == doctest::Approx(0.2));
  CHECK(s.filled(since).samples == 10);
}

TEST_CASE("minimum_maximum_and_mean_fold_the_window") {
  series s(signal_kind::gauge, seconds(60));
  const auto w = s.window(seconds(10), series::start::kept);
  for (const double v : {4.0, 1.0, 7.0}) s.add(plain(v, v));
  s.advance(at(7));
  CHECK(*s.read(w, function::min, 0, at(7)) == 1);
  CHECK(*s.read(w, function::max, 0, at(7)) == 7);
  CHECK(*s.read(w, function::avg, 0, at(7)) == 4);
  CHECK(*s.read(w, function::count, 0, at(7)) == 3);
}

TEST_CASE("counted_distributions_are_pooled_bucket_by_bucket") {
  series s(signal_kind::distribution, seconds(60));
  const auto w = s.window(seconds(10), series::start::kept);
  const auto counted = [](double fast, double all, double bound = 1) {
    histogram h;
    h.add(0.1, fast);
    h.add(bound, all);
    h.add(HUGE_VAL, all);
    return std::make_shared<const histogram>(h);
  };
  s.add({at(0), at(1), counted(50, 50), false});
  s.add({at(1), at(5), counted(0, 50), false});
  s.advance(at(5));
  CHECK(s.filled(w).samples == 100);
  CHECK(*s.read(w, function::over, 0.5, at(5)) == 0.1);
  CHECK(*s.read(w, function::over, 0.75, at(5)) == doctest::Approx(0.1 + 0.9 / 2));
  s.advance(at(12));  // the fast ones have left
  CHECK(*s.read(w, function::over, 0.5, at(12)) == doctest::Approx(0.1 + 0.9 / 2));
  s.add({at(5), at(13), counted(0, 0), true});
  CHECK(s.filled(w).samples == 50);
  s.add({at(13), at(14), counted(5, 50, 2), false});
  s.advance(at(14));
  CHECK_FALSE(s.read(w, function::over, 0.5, at(14)).has_value());  // two kinds of buckets
  s.advance(at(23.5));
  CHECK(s.read(w, function::over, 0.5, at(23.5)).has_value());
}

TEST_CASE("a_counted_distribution_without_observations_has_no_quantile") {
  series s(signal_kind::distribution, seconds(60));
  const auto w = s.window(seconds(10), series::start::at_cutover);
  histogram h;
  h.add(1, 0);
  h.add(HUGE_VAL, 0);
  s.add({at(0), at(1), std::make_shared<const histogram>(h), false});
  s.advance(at(1));
  CHECK_FALSE(s.read(w, function::over, 0.95, at(1)).has_value());
  s.cutover(at(2));
  CHECK(s.filled(w).samples == 0);
}

TEST_CASE("a_window_ends_at_the_sample_that_has_just_come_however_late_it_is_looked_at") {
  series s(signal_kind::gauge, seconds(60));
  const auto w = s.window(seconds(2), series::start::kept);
  for (const double t : {0.0, 1.0, 1.9997}) s.add(plain(t, t));
  s.advance(at(2.0004));
  s.add(plain(3.0, 3));
  s.add(plain(3.9994, 4));
  s.advance(at(4.0));  // 1.9997 is within two seconds of the newest, though not of now
  CHECK(s.read(w, function::count, 0, at(4.0)) == 3);
  s.advance(at(4.06));
  CHECK(s.read(w, function::count, 0, at(4.06)) == 2);
}

TEST_CASE("a_count_is_known_only_while_somebody_watches") {
  series s(signal_kind::ratio, seconds(15));
  const auto w = s.window(seconds(60), series::start::kept);
  s.add({at(9), at(10), pooled{0, 10}, false});
  s.advance(at(20));
  CHECK(*s.read(w, function::count, 0, at(20)) == 10);
  s.advance(at(30));
  CHECK_FALSE(s.read(w, function::count, 0, at(30)).has_value());
}

TEST_CASE("a_counter_loses_nothing_between_two_windows") {
  series s(signal_kind::counter, seconds(60));
  const auto w = s.window(seconds(10), series::start::kept);
  s.add(plain(0, 0));
  s.add(plain(15, 15));
  s.advance(at(15));
  CHECK(*s.read(w, function::increase, 0, at(15)) == 15);
}

TEST_CASE("what_lies_between_two_times_is_counted_across_cutovers") {
  series s(signal_kind::ratio, seconds(60));
  s.window(seconds(300), series::start::at_cutover);
  s.look_back();
  for (int i = 1; i <= 10; ++i) s.add({at(i - 1), at(i), pooled{1, 10}, false});
  s.cutover(at(6));
  s.advance(at(10));
  CHECK(s.counts_between(at(4), at(8)).numerator == 4);
  CHECK(s.counts_between(at(4), at(8)).denominator == 40);
  CHECK(s.counts_between(at(4.5), at(8)).denominator == 30);  // that of (4, 5] speaks of what was before, too
  CHECK(s.counts_between(at(10), at(20)).denominator == 0);
  CHECK(s.counts_between(at(-100), at(100)).denominator == 100);
  series d(signal_kind::distribution, seconds(60));
  d.window(seconds(300), series::start::kept);
  for (int i = 1; i <= 4; ++i) {
    const auto one = std::make_shared<sketch>();
    one->add(i);
    d.add({at(i - 1), at(i), measured(std::shared_ptr<const sketch>(one)), false});
  }
  CHECK(*d.quantile_between(1, at(0), at(2)) == doctest::Approx(2).epsilon(0.02));
  CHECK_FALSE(d.quantile_between(1, at(4), at(9)).has_value());
}
