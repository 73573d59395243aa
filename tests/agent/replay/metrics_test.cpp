#include "agent/replay/metrics.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>

using namespace flipback;
using namespace flipback::replay;
using namespace std::chrono;

namespace {

constexpr std::int64_t begin = 1'795'762'000;

/// Requests that an instance counted each five seconds, `errors` of a hundred.
std::string dump(int until, int errors) {
  std::string made;
  for (int at = 0, n = 0; at <= until; at += 5, ++n) {
    for (const auto& [status, count] : {std::pair("2xx", 100 - errors), std::pair("5xx", errors)})
      made += fmt::format("http_requests_total{{status=\"{}\"}} {} {}\n", status, n * count, begin + at);
  }
  return made + "# EOF\n";
}

std::string gauge(const std::vector<std::pair<int, double>>& points) {
  std::vector<std::string> all;
  for (const auto& [at, value] : points) all.push_back(fmt::format(R"([{},"{}"])", begin + at, value));
  return fmt::format(R"({{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{}},"values":[{}]}}]}}}})",
                     fmt::join(all, ","));
}

config::configuration configured(const std::string& toml) {
  const auto file = std::filesystem::temp_directory_path() / fmt::format("flipback-metrics-test-{}.toml", ::getpid());
  std::ofstream(file) << toml;
  settings::diagnostics problems;
  auto made = config::load_for_replay(file, {}, problems);
  std::filesystem::remove(file);
  for (const settings::problem& p : problems.sorted()) FAIL(to_string(p));
  return made;
}

/// What is told: "5s error_rate", "10s cutover", "window open".
struct told {
  std::vector<std::string> entries;
  std::map<std::string, flipback::signal> signals;
  bool has(const std::string& entry) const { return std::ranges::find(entries, entry) != entries.end(); }
};

told tell(const metrics& from) {
  told made;
  std::map<std::uint32_t, std::string> names;
  const auto at = [](instant when) { return format_duration(when - instant_of(begin * 1000)); };
  from.tell([&](const rules::replay::entry& e) {
    if (const auto* began = std::get_if<rules::replay::beginning>(&e)) {
      CHECK(instant_of(began->wall) == began->at);
      made.entries.push_back(at(began->at) + " begins");
    } else if (const auto* d = std::get_if<rules::replay::declared>(&e)) {
      names[d->series] = d->is.samples;
      made.signals[d->is.name] = d->is;
    } else if (const auto* s = std::get_if<rules::replay::sampled>(&e)) {
      made.entries.push_back(fmt::format("{} {}", at(s->is.at), names.at(s->series)));
    } else if (const auto* cut = std::get_if<rules::replay::cut_over>(&e)) {
      made.entries.push_back(at(cut->at) + " cutover");
    } else if (const auto* w = std::get_if<rules::replay::window_changed>(&e)) {
      made.entries.push_back(fmt::format("{} {}", at(w->at), w->open ? "open" : "closed"));
    }
  });
  return made;
}

struct given {
  config::configuration from;
  settings::diagnostics problems;
  metrics all{from, problems};
};

}  // namespace

TEST_CASE("a_text_gives_the_traffics_signals_and_a_query_its_own_in_the_order_of_time") {
  given g;
  REQUIRE(g.all.add_text(dump(15, 5)));
  REQUIRE(g.all.add_query("queue.length", gauge({{6, 1}, {12, 2}})));
  REQUIRE(g.all.finish({}));
  const told all = tell(g.all);
  std::vector<std::string> some;
  for (const std::string& e : all.entries) {
    if (e.ends_with("begins") || e.ends_with("error_rate") || e.ends_with("length")) some.push_back(e);
  }
  std::erase_if(some, [](const std::string& e) { return e.contains("client_"); });
  CHECK(some == std::vector<std::string>{"5s begins", "5s traffic.error_rate", "6s queue.length", "10s traffic.error_rate",
                                         "12s queue.length", "15s traffic.error_rate"});
  CHECK(all.signals.at("traffic.error_rate").kind == signal_kind::ratio);
  CHECK(all.signals.at("traffic.error_rate").stale == 15s);
  CHECK(all.signals.at("traffic.p95").samples == "traffic.latencies");
  CHECK(all.signals.at("queue.length").stale == 18s);
  CHECK_FALSE(all.signals.contains("stable.up"));
}

TEST_CASE("a_cutover_opens_the_window_and_the_configuration_says_how_long") {
  given g;
  REQUIRE(g.all.add_text(dump(3600, 5)));
  REQUIRE(g.all.finish({wall_time(seconds(begin + 600)), wall_time(seconds(begin + 60))}));
  const told all = tell(g.all);
  for (const char* e : {"1m cutover", "1m open", "10m cutover", "10m open", "25m closed"}) CHECK_MESSAGE(all.has(e), e);
  CHECK_FALSE(all.has("16m closed"));
  CHECK(std::ranges::find(all.entries, "1m cutover") > std::ranges::find(all.entries, "1m traffic.error_rate"));
  CHECK(all.signals.at("stable.up").kind == signal_kind::outcome);
}

TEST_CASE("a_cutover_outside_of_the_metrics_is_an_error") {
  given g;
  REQUIRE(g.all.add_text(dump(60, 5)));
  CHECK(g.all.finish({wall_time(seconds(begin - 3600))}).error() ==
        "--cutover: found 2026-11-27T05:46:40.000Z, expected a time of the metrics, which are of 2026-11-27T06:46:45.000Z to "
        "2026-11-27T06:47:40.000Z");
}

TEST_CASE("kinds_and_units_are_those_of_the_configuration") {
  given g{configured(R"(
[probes.traffic]
type = "access_log"
path = "/var/log/nginx/flipback.log"
[probes.kpi]
type = "promql"
url = "http://prometheus:9090"
every = "1m"
[probes.kpi.queries]
errors = { kind = "ratio", numerator = "a", denominator = "b" }
seconds = { query = "c", unit = "seconds" }
)"),
          {}};
  REQUIRE(g.problems.clean());
  REQUIRE(g.all.add_ratio("kpi.errors", gauge({{0, 1}, {15, 2}}), gauge({{0, 10}, {15, 20}})));
  REQUIRE(g.all.add_query("kpi.seconds", gauge({{0, 1}, {15, 2}})));
  REQUIRE(g.all.add_query("traffic.p95", gauge({{0, 1}, {15, 2}})));
  REQUIRE(g.all.add_query("stable.up", gauge({{0, 1}, {15, 0}})));
  REQUIRE(g.all.finish({}));
  const told all = tell(g.all);
  CHECK(all.signals.at("kpi.errors").kind == signal_kind::ratio);
  CHECK(all.signals.at("kpi.errors").stale == 3min);  // the probe's, which is longer than the step's
  CHECK(all.signals.at("kpi.seconds").in == unit::seconds);
  CHECK(all.signals.at("traffic.p95").kind == signal_kind::gauge);
  CHECK(all.signals.at("traffic.p95").in == unit::seconds);
  CHECK(all.signals.at("traffic.aborted_rate").kind == signal_kind::ratio);  // declared, and never known
  CHECK(all.signals.at("stable.up").kind == signal_kind::outcome);
}

TEST_CASE("well_known_names_have_their_units_without_a_configuration") {
  given g;
  for (const char* name : {"traffic.error_rate", "traffic.p99", "traffic.rps", "traffic.requests", "db.lag", "api.up"})
    REQUIRE(g.all.add_query(name, gauge({{0, 1}, {15, 2}})));
  REQUIRE(g.all.finish({}));
  const told all = tell(g.all);
  CHECK(all.signals.at("traffic.error_rate").in == unit::ratio);
  CHECK(all.signals.at("traffic.p99").in == unit::seconds);
  CHECK(all.signals.at("traffic.rps").in == unit::per_second);
  CHECK(all.signals.at("traffic.requests").in == unit::number);
  CHECK(all.signals.at("db.lag").in == unit::number);
  CHECK(all.signals.at("api.up").kind == signal_kind::outcome);
  REQUIRE(g.all.notes().size() == 1);
  CHECK(g.all.notes()[0].starts_with("traffic.error_rate: a number has no requests"));
}

TEST_CASE("what_can_not_be_told_to_rules_is_said") {
  given g;
  CHECK(g.all.add_text("up 1 1795762000000\n").error() ==
        "has nothing of what is looked at: http_requests_total, starlette_requests_total");
  CHECK(g.all.add_query("errors", gauge({{0, 1}})).error() == "found the name errors, expected a signal's, such as traffic.error_rate");
  CHECK(g.all.add_query("a.b c", gauge({{0, 1}})).error().starts_with("found the name a.b c"));
  CHECK(g.all.finish({}).error() == "there is nothing to tell rules: rates need two scrapes of one target");
  REQUIRE(g.all.add_query("a.b", gauge({{0, 1}})));
  CHECK(g.all.add_ratio("a.b", gauge({{0, 1}}), gauge({{0, 1}})).error() ==
        "a.b is given once as a number and once as a numerator and a denominator");
  CHECK(g.all.add_ratio("a.c", gauge({{0, 1}}), "{}").error().starts_with("the denominator: "));
  given other;
  REQUIRE(other.all.add_query("a.empty", R"({"status":"success","data":{"resultType":"matrix","result":[]}})"));
  CHECK(other.all.finish({}).error() == "a.empty: the answer has no series, or no samples in them");
}

TEST_CASE("a_signal_comes_from_one_place") {
  given g;
  REQUIRE(g.all.add_text(dump(60, 5)));
  REQUIRE(g.all.add_query("traffic.p95", gauge({{0, 1}})));
  CHECK(g.all.finish({}).error() == "traffic.p95 is given by name, and by the texts too");
}
