#include "probes/prometheus/queries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::prometheus {

namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::size_t most_queries = 50;  // asked one after the other, within one deadline

constexpr std::array units{std::pair{std::string_view("number"), unit::number}, std::pair{std::string_view("seconds"), unit::seconds},
                           std::pair{std::string_view("ratio"), unit::ratio}, std::pair{std::string_view("bytes"), unit::bytes},
                           std::pair{std::string_view("per_second"), unit::per_second}};

unit read_unit(settings::section& from) {
  const std::string word = from.choice("unit", "number", {"number", "seconds", "ratio", "bytes", "per_second"});
  return std::ranges::find(units, word, [](const auto& u) { return u.first; })->second;
}

struct read_query {
  query made;
  signal_kind kind = signal_kind::gauge;
};

read_query read_ratio(settings::section& from) {
  read_query read{{}, signal_kind::ratio};
  read.made.promql = from.required_text("numerator", "http_requests_total{status=~\"5..\"}");
  read.made.denominator = from.required_text("denominator", "http_requests_total");
  read.made.in = unit::ratio;
  // The counters are as old as their last scrape: a minute, where nobody says otherwise to Prometheus.
  read.made.covers = from.span("covers", minutes(1), {}, hours(24));
  for (const char* key : {"query", "unit", "empty"}) {
    if (from.has(key)) from.report(key, "has no meaning for a ratio, which has a numerator and a denominator");
    from.know(key);
  }
  return read;
}

read_query read_one(settings::section& from) {
  const std::string kind = from.choice("kind", "gauge", {"gauge", "counter", "ratio"});
  if (kind == "ratio") return read_ratio(from);
  read_query read{{}, kind == "counter" ? signal_kind::counter : signal_kind::gauge};
  read.made.promql = from.required_text("query", "sum(rate(http_requests_total[5m]))");
  read.made.in = read_unit(from);
  read.made.empty = from.number("empty");
  // No sample that a query sees is older than this (--query.lookback-delta), but for those of a longer range.
  read.made.covers = from.span("covers", minutes(5), {}, hours(24));
  return read;
}

bool is_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name.front() >= 'a' && name.front() <= 'z' && std::ranges::all_of(name, fits);
}

}  // namespace

std::vector<query> read_queries(settings::section& from, declarations& declared) {
  std::vector<query> all;
  const auto take = [&](settings::section& one, std::string_view name) {
    read_query read = read_one(one);
    read.made.measured_as = declared.add_named(name, read.kind, read.made.in);
    all.push_back(std::move(read.made));
  };
  if (!from.has("queries")) {
    take(from, "value");
    return all;
  }
  for (auto& [name, one] : from.inners("queries")) {
    if (!is_name(name)) one.report_here("is no name of a measurement: expected small letters, digits and _, such as \"error_rate\"");
    if (declarations::is_every_probes(name)) one.report_here("has the name of a measurement that every probe has");
    take(one, name);
    one.finish();
  }
  if (from.has("query")) from.report("query", "stands beside queries: expected one of them");
  from.know("query");
  if (all.empty()) from.report("queries", "is empty, expected at least one query");
  if (all.size() > most_queries) from.report("queries", fmt::format("has {} queries, expected at most {}", all.size(), most_queries));
  return all;
}

}  // namespace flipback::prometheus
