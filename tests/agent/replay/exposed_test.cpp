#include "agent/replay/exposed.hpp"

#include "agent/replay/declared.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <vector>

using namespace flipback;
using namespace flipback::replay;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t begin = 1'795'762'000'000;

settings::node metric(const std::string& name) {
  settings::table inner;
  inner["name"] = {{}, {{name, {}}}};
  return {inner, {}};
}

/// An exposition's samples of one measurement, "5s 0/100; 10s 30/100", by the texts of which `to_text` makes.
class replayed {
 public:
  explicit replayed(settings::table table = {}) {
    settings::diagnostics said;
    table["url"] = {{}, {{std::string("http://127.0.0.1/metrics"), {}}}};
    const settings::node keys{std::move(table), {}};
    settings::section from(keys, "probes.traffic", said);
    by_ = exposition::read_terms(from, 5s, declared_);
    REQUIRE(said.clean());
  }

  /// A sample of `written` at so many seconds after the begin.
  replayed& see(double at, const std::string& written, double value) {
    text_ += fmt::format("{} {} {}\n", written, value, begin + static_cast<std::int64_t>(at * 1000));
    return *this;
  }
  /// What an instance has counted.
  replayed& counts(double at, const std::string& instance, double ok, double errors) {
    return see(at, fmt::format(R"(http_requests_total{{instance="{}",status="2xx"}})", instance), ok)
        .see(at, fmt::format(R"(http_requests_total{{instance="{}",status="5xx"}})", instance), errors);
  }

  std::string of(std::string_view measurement) {
    scrapes all([](std::string_view) { return true; });
    REQUIRE(all.read(text_));
    all.sort();
    exposed probe(by_, declared_, all.step().value_or(5s));
    std::string made;
    const auto take = [&](std::string_view name, const sample& s) {
      if (name == measurement) made += shown(s);
    };
    all.each([&](const scrapes::scrape& one) { probe.take(one, take); });
    probe.end(take);
    summary_ = probe.summary();
    return made;
  }
  [[nodiscard]] const std::string& summary() const { return summary_; }

 private:
  static std::string shown(const sample& s) {
    const auto since = [](instant at) { return to_seconds(at - instant_of(begin)); };
    std::string value = "-";
    if (s.value) {
      if (const auto* ratio = std::get_if<pooled>(&*s.value))
        value = fmt::format("{}/{}", ratio->numerator, ratio->denominator);
      else if (const auto* counted = std::get_if<std::shared_ptr<const histogram>>(&*s.value))
        value = fmt::format("{}@{}", (*counted)->count(), (*counted)->quantile(0.5));
      else
        value = fmt::format("{}", std::get<double>(*s.value));
    }
    return fmt::format("({},{}] {}{}; ", since(s.from), since(s.at), value, s.quiet ? " quiet" : "");
  }

  declarations declared_;
  exposition::terms by_;
  std::string text_;
  std::string summary_;
};

}  // namespace

TEST_CASE("a_first_scrape_tells_nothing_and_each_other_what_came_since") {
  replayed one;
  one.counts(0, "a", 100, 5).counts(5, "a", 190, 15).counts(10, "a", 190, 15);
  CHECK(one.of("error_rate") == "(0,5] 10/100; (5,10] 0/0 quiet; ");
  CHECK(one.of("rps") == "(0,5] 100/5; (5,10] 0/5 quiet; ");
  CHECK(one.summary().starts_with("3 scrapes of 1 target, the last says: 0 requests in 5s, 0 errors"));
}

TEST_CASE("several_targets_are_pooled_and_their_rates_add_up") {
  replayed two;
  for (int i = 0; i < 4; ++i) two.counts(5 * i, "a", 90.0 * i, 10.0 * i).counts(5 * i + 2, "b", 50.0 * i, 0);
  CHECK(two.of("error_rate") == "(0,5] 10/100; (2,7] 0/50; (5,10] 10/100; (7,12] 0/50; (10,15] 10/100; (12,17] 0/50; ");
  CHECK(two.of("rps") == "(0,5] 100/5; (2,7] 50/2; (5,10] 100/3; (7,12] 50/2; (10,15] 100/3; (12,17] 50/2; ");
  CHECK(two.of("requests") == "(0,5] 100; (2,7] 150; (5,10] 150; (7,12] 150; (10,15] 150; (12,17] 150; ");
}

TEST_CASE("targets_that_are_scraped_at_once_are_one_sample") {
  replayed two;
  for (int i = 0; i < 3; ++i) two.counts(5 * i, "a", 90.0 * i, 10.0 * i).counts(5 * i, "b", 50.0 * i, 0);
  CHECK(two.of("error_rate") == "(0,5] 10/150; (5,10] 10/150; ");
  CHECK(two.of("rps") == "(0,5] 150/5; (5,10] 150/5; ");
}

TEST_CASE("a_target_that_is_new_brings_no_growth_and_a_series_that_is_new_does") {
  replayed two;
  two.counts(0, "a", 100, 0).counts(5, "a", 200, 0).counts(10, "a", 300, 0).counts(15, "a", 400, 0);
  two.counts(10, "b", 5000, 900).counts(15, "b", 5100, 900);
  two.see(15, R"(http_requests_total{instance="a",status="503"})", 7);
  CHECK(two.of("error_rate") == "(0,5] 0/100; (5,10] 0/100; (10,15] 7/207; ");
}

TEST_CASE("a_restart_counts_from_zero_and_a_long_gap_is_told_of_nothing") {
  replayed one;
  one.counts(0, "a", 100, 0).counts(5, "a", 200, 0).counts(10, "a", 30, 10).counts(15, "a", 130, 10);
  one.counts(200, "a", 9000, 900).counts(205, "a", 9090, 910);
  CHECK(one.of("error_rate") == "(0,5] 0/100; (5,10] 10/40; (10,15] 0/100; (200,200] -; (200,205] 10/100; ");
}

TEST_CASE("a_scrape_without_the_counters_makes_the_traffic_unknown") {
  replayed one;
  one.counts(0, "a", 100, 0).counts(5, "a", 200, 0).see(10, R"(process_start_time_seconds{instance="a"})", 1).counts(15, "a", 400, 0);
  CHECK(one.of("error_rate") == "(0,5] 0/100; (10,10] -; (10,15] 0/200; ");
  CHECK(one.summary().contains("; 1 were not well, the first says: there is no http_requests_total"));
}

TEST_CASE("histograms_are_pooled") {
  replayed two;
  for (const char* instance : {"a", "b"}) {
    for (int i = 0; i < 3; ++i) {
      two.counts(5 * i, instance, 10.0 * i, 0);
      for (const char* le : {"1", "2", "+Inf"})
        two.see(5 * i, fmt::format(R"(http_request_duration_seconds_bucket{{instance="{}",le="{}"}})", instance, le), 10.0 * i);
    }
  }
  CHECK(two.of("latencies") == "(0,5] 20@0.5; (5,10] 20@0.5; ");
}

TEST_CASE("metrics_of_ones_own_are_summed_over_the_targets") {
  settings::table table{{"library", {{}, {{std::string("none"), {}}}}}};
  table["metrics"] = {{}, {{settings::table{{"queue", {{}, {metric("queue_length")}}}, {"jobs", {{}, {metric("jobs_total")}}}}, {}}}};
  replayed two(table);
  const auto at = [&](double when, const std::string& instance, double queue, double jobs) {
    two.see(when, fmt::format(R"(queue_length{{instance="{}"}})", instance), queue)
        .see(when, fmt::format(R"(jobs_total{{instance="{}"}})", instance), jobs);
  };
  at(0, "a", 3, 10);
  at(5, "a", 4, 12);
  at(7, "b", 5, 1000);
  at(10, "a", 1, 13);
  at(12, "b", 0, 1002);
  CHECK(two.of("queue") == "(0,0] 3; (5,5] 4; (7,7] 9; (10,10] 6; (12,12] 1; ");
  CHECK(two.of("jobs") == "(0,0] 10; (5,5] 12; (7,7] 12; (10,10] 13; (12,12] 15; ");
}
