#include "probes/exposition/ledger.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <string>

using namespace flipback;
using namespace flipback::exposition;

namespace {

const naming instrumented{"http_requests_total", {"fine_seconds", "coarse_seconds"}, "status", "handler", "method"};
const naming exported{"starlette_requests_total", {"starlette_request_duration_seconds"}, "status_code", "path", "method"};

selection usual() {
  selection s;
  s.namings = {instrumented, exported};
  s.left_out_paths = {"/health", "/metrics"};
  return s;
}

/// One scrape, `clock` seconds after 1970 on the server.
reading scrape(ledger& of, const std::string& text, double clock = 5000) {
  reader r(text, format::prometheus);
  for (;;) {
    const auto more = r.next();
    REQUIRE(more.has_value());
    if (!*more) break;
    REQUIRE(of.take(r.current()));
  }
  return of.close(clock);
}

std::string requests(double ok, double errors, const std::string& more = "") {
  return fmt::format(
      "http_requests_total{{handler=\"/a\",status=\"2xx\",method=\"GET\"}} "
      "{}\nhttp_requests_total{{handler=\"/a\",status=\"5xx\",method=\"GET\"}} {}\n{}",
      ok, errors, more);
}

std::string started(double at) {
  return fmt::format("process_start_time_seconds {}\n", at);
}

}  // namespace

TEST_CASE("the_first_scrape_tells_nothing_of_the_time_before") {
  ledger l(usual());
  const reading first = scrape(l, requests(100, 7));
  CHECK(first.how == growth::none);
  CHECK(first.so_far.requests == 107);
  CHECK(first.so_far.errors == 7);
  CHECK(first.grouped);
  const reading second = scrape(l, requests(130, 9));
  CHECK(second.how == growth::by_difference);
  CHECK(second.grown.requests == 32);
  CHECK(second.grown.errors == 2);
  CHECK(second.grown.successes == 30);
}

TEST_CASE("a_series_that_appears_began_at_zero") {
  ledger l(usual());
  scrape(l, "http_requests_total{status=\"2xx\"} 50\n");
  const reading r = scrape(l, requests(0, 15, "http_requests_total{status=\"2xx\"} 50\n"));
  CHECK(r.grown.requests == 15);
  CHECK(r.grown.errors == 15);
}

TEST_CASE("a_counter_that_fell_was_reset_as_prometheus_has_it") {
  ledger l(usual());
  scrape(l, requests(100, 7));
  const reading r = scrape(l, requests(40, 9));
  CHECK(r.how == growth::by_difference);
  CHECK(r.grown.requests == 40 + 2);  // each series for itself
}

TEST_CASE("a_process_that_started_since_shows_what_has_come_since") {
  ledger l(usual());
  scrape(l, requests(10, 7, started(1000)), 5000);
  const reading r = scrape(l, requests(40, 9, started(5003)), 5010);
  CHECK(r.how == growth::from_zero);
  CHECK(r.grown.requests == 49);
  CHECK(scrape(l, requests(41, 9, started(5003)), 5020).grown.requests == 1);
}

TEST_CASE("a_series_that_a_new_process_shows_later_began_at_zero_with_it") {
  for (const double errors : {9, 400}) {  // fewer than the process before had counted, and more
    ledger l(usual());
    scrape(l, requests(10, 300, started(1000)), 5000);
    CHECK(scrape(l, "http_requests_total{status=\"2xx\"} 0\n" + started(5003), 5010).how == growth::from_zero);
    const reading r = scrape(l, requests(0, errors, started(5003)), 5020);
    CHECK(r.how == growth::by_difference);
    CHECK(r.grown.errors == errors);
  }
}

TEST_CASE("another_process_makes_counting_begin_anew") {
  ledger l(usual());
  scrape(l, requests(10, 0, started(1000)), 5000);
  const reading r = scrape(l, requests(900, 300, started(1000.05)), 5010);
  CHECK(r.how == growth::none);
  CHECK(r.changed);
  CHECK_FALSE(r.several);
  CHECK(scrape(l, requests(905, 300, started(1000.05)), 5020).grown.requests == 5);
}

TEST_CASE("workers_that_answer_by_turns_are_noticed_and_forgiven") {
  ledger l(usual());
  double clock = 5000;
  for (int turn = 0; turn < 4; ++turn) {
    CHECK(scrape(l, requests(10, 0, started(turn % 2 == 0 ? 1000 : 1001)), clock += 10).several == (turn == 3));
  }
  for (int calm = 0; calm < 7; ++calm) CHECK(scrape(l, requests(10, 0, started(1001)), clock += 10).several);
  CHECK_FALSE(scrape(l, requests(10, 0, started(1001)), clock += 10).several);
}

TEST_CASE("workers_without_a_start_time_are_noticed_by_their_counters") {
  ledger l(usual());
  bool several = false;
  for (int turn = 0; turn < 8; ++turn) several = scrape(l, requests(turn % 2 == 0 ? 10 : 500, 0)).several;
  CHECK(several);
}

TEST_CASE("workers_that_started_at_one_instant_count_nothing_where_they_fall") {
  ledger l(usual());
  scrape(l, requests(500, 0, started(1000)));
  CHECK(scrape(l, requests(10, 0, started(1000))).how == growth::none);
}

TEST_CASE("health_paths_the_metrics_and_what_is_left_out_are_no_traffic") {
  selection s = usual();
  s.left_out_prefixes = {"/admin"};
  s.left_out_methods = {"OPTIONS"};
  s.labels = {{"app", "api"}};
  ledger l(std::move(s));
  scrape(l, "http_requests_total{app=\"api\",handler=\"/none\",status=\"2xx\"} 0\n");
  const std::string text =
      "http_requests_total{app=\"api\",handler=\"/health\",status=\"5xx\"} 1\n"
      "http_requests_total{app=\"api\",handler=\"/metrics\",status=\"2xx\"} 2\n"
      "http_requests_total{app=\"api\",handler=\"/admin/users\",status=\"5xx\"} 4\n"
      "http_requests_total{app=\"api\",handler=\"/a\",method=\"OPTIONS\",status=\"2xx\"} 8\n"
      "http_requests_total{app=\"other\",handler=\"/a\",status=\"5xx\"} 16\n"
      "http_requests_total{app=\"api\",handler=\"/healthy\",status=\"2xx\"} 32\n";
  CHECK(scrape(l, text).grown.requests == 32);
}

TEST_CASE("whole_statuses_tell_what_was_limited") {
  ledger l(usual());
  scrape(l, "# TYPE starlette_requests_total counter\n");
  std::string text;
  for (const char* code : {"101", "200", "302", "404", "429", "499", "500", "503", "HTTPStatus.OK"})
    text += fmt::format("starlette_requests_total{{path=\"/\",status_code=\"{}\"}} 1\n", code);
  const reading r = scrape(l, text);
  CHECK_FALSE(r.grouped);
  CHECK(r.by->requests == "starlette_requests_total");
  CHECK(r.grown.requests == 9);
  CHECK(r.grown.successes == 3);
  CHECK(r.grown.client_errors == 1);
  CHECK(r.grown.limited == 1);
  CHECK(r.grown.errors == 2);
}

TEST_CASE("a_type_without_samples_is_a_counter_that_counted_nothing") {
  ledger l(usual());
  CHECK(scrape(l, "# TYPE http_requests_total counter\n").by != nullptr);
  CHECK(scrape(l, "# TYPE http_requests counter\n").by != nullptr);  // OpenMetrics
  CHECK(scrape(l, "# TYPE http_requests_in_progress gauge\n").by == nullptr);
}

TEST_CASE("the_finer_durations_are_preferred_and_buckets_grow_like_counters") {
  ledger l(usual());
  const auto text = [](double fast, double all) {
    return requests(all, 0) +
           fmt::format(
               "coarse_seconds_bucket{{handler=\"/a\",le=\"1.0\"}} {1}\ncoarse_seconds_bucket{{handler=\"/a\",le=\"+Inf\"}} {1}\n"
               "fine_seconds_bucket{{le=\"0.1\"}} {0}\nfine_seconds_bucket{{le=\"0.5\"}} {1}\nfine_seconds_bucket{{le=\"+Inf\"}} {1}\n",
               fast, all);
  };
  scrape(l, text(10, 20));
  const reading r = scrape(l, text(20, 40));
  CHECK(r.durations == "fine_seconds");
  CHECK(r.largest_bound == 0.5);
  CHECK(r.latencies->count() == 20);
  CHECK(r.latencies->quantile(0.5) == 0.1);
}

TEST_CASE("labels_in_another_order_are_the_same_series") {
  ledger l(usual());
  scrape(l, "http_requests_total{handler=\"/a\",status=\"2xx\"} 50\n");
  CHECK(scrape(l, "http_requests_total{status=\"2xx\",handler=\"/a\"} 51\n").grown.requests == 1);
}

TEST_CASE("a_series_twice_counts_once_and_one_without_a_number_not_at_all") {
  ledger l(usual());
  scrape(l, requests(1, 0));
  const reading r =
      scrape(l, requests(2, 0, requests(900, 0, "http_requests_total{status=\"4xx\"} NaN\nhttp_requests_total{status=\"3xx\"} -1\n")));
  CHECK(r.grown.requests == 1);
  CHECK(r.unusable == 2);
}

TEST_CASE("a_scrape_that_was_given_up_leaves_no_trace") {
  ledger l(usual());
  scrape(l, requests(10, 0));
  const std::string text = requests(900, 0);
  reader r(text, format::prometheus);
  REQUIRE(*r.next());
  REQUIRE(l.take(r.current()));
  l.abandon();
  CHECK(scrape(l, requests(12, 0)).grown.requests == 2);
}

TEST_CASE("metrics_of_ones_own_are_summed_over_their_series") {
  selection s;
  s.metrics = {{"queue_length", {{"queue", "mail"}}, signal_kind::gauge},
               {"limited_total", {}, signal_kind::counter},
               {"search_seconds", {}, signal_kind::distribution},
               {"absent", {}, signal_kind::gauge}};
  ledger l(std::move(s));
  const auto text = [](double queue, double one, double other) {
    return fmt::format(
        "queue_length{{queue=\"mail\",host=\"a\"}} {0}\nqueue_length{{queue=\"mail\",host=\"b\"}} {0}\nqueue_length{{queue=\"sms\"}} 99\n"
        "limited_total{{path=\"/a\"}} {1}\nlimited_total{{path=\"/b\"}} {2}\n"
        "search_seconds_bucket{{le=\"0.1\"}} {1}\nsearch_seconds_bucket{{le=\"+Inf\"}} {1}\n",
        queue, one, other);
  };
  reading r = scrape(l, text(2, 10, 5));
  CHECK(std::get<double>(*r.metrics[0]) == 4);
  CHECK(std::get<double>(*r.metrics[1]) == 15);
  CHECK_FALSE(r.metrics[3].has_value());
  r = scrape(l, text(-3, 12, 1));
  CHECK(std::get<double>(*r.metrics[0]) == -6);
  CHECK(std::get<double>(*r.metrics[1]) == 15 + 2 + 1);  // the one that fell was reset
  CHECK(std::get<std::shared_ptr<const histogram>>(*r.metrics[2])->count() == 2);
}

TEST_CASE("no_more_series_are_kept_than_the_bound") {
  ledger l(usual());
  bool taken = true;
  std::size_t kept = 0;
  while (taken) {
    const std::string path = fmt::format("/{}", kept);
    const label labels[] = {{"handler", path}, {"status", "2xx"}};
    item i;
    i.name = "http_requests_total";
    i.labels = labels;
    taken = l.take(i);
    if (taken) ++kept;
  }
  CHECK(kept == counters::most);
}
