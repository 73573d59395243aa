#include "probes/access_log/tally_signals.hpp"

#include <array>
#include <memory>
#include <utility>

namespace flipback::access_log {

namespace {

struct rate {
  std::string_view name;
  std::uint64_t tally::* counts;
  bool of_timed = false;  ///< a share of the requests that have a latency, and not of all
  telling tells = telling::requests;
};
constexpr std::array rates{rate{"error_rate", &tally::errors, false, telling::errors},
                           rate{"client_error_rate", &tally::client_errors},
                           rate{"success_rate", &tally::successes},
                           rate{"limited_rate", &tally::limited},
                           rate{"aborted_rate", &tally::aborted},
                           rate{"slow_rate", &tally::slow, true, telling::slowness}};
constexpr std::array<std::pair<std::string_view, double>, 4> quantiles{{{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}}};

}  // namespace

tally_signals::tally_signals(terms by)
    : by_(std::move(by)), requests_(named_as("requests")), rps_(named_as("rps")), latencies_(by_.prefix + "latencies") {
  for (const rate& r : rates) {
    if (by_.with_latency || !r.of_timed) rates_.push_back(named_as(r.name));
  }
  if (!by_.with_latency || by_.shares_only) return;
  for (const auto& [name, q] : quantiles) quantiles_.push_back(named_as(name));
}

tally_signals::named tally_signals::named_as(std::string_view name) const {
  const auto under = [&](const std::string& prefix) { return prefix.empty() ? std::string() : prefix + std::string(name); };
  return {by_.prefix + std::string(name), under(by_.narrowed_by), under(by_.anew_by)};
}

measurement_declaration tally_signals::declared(const named& as, signal_kind kind, unit in, telling tells) const {
  return {.name = as.name,
          .kind = kind,
          .in = in,
          .stale = traffic_stale,
          .narrowed = as.narrowed,
          .of_live = by_.of_live,
          .tells = tells,
          .anew = kind == signal_kind::ratio && in == unit::ratio ? std::string_view(as.anew) : std::string_view()};
}

void tally_signals::declare(std::vector<measurement_declaration>& into) const {
  if (!by_.shares_only) {
    into.push_back(declared(requests_, signal_kind::gauge, unit::number));
    into.push_back(declared(rps_, signal_kind::ratio, unit::per_second));
  }
  for (std::size_t i = 0; i < rates_.size(); ++i) into.push_back(declared(rates_[i], signal_kind::ratio, unit::ratio, rates.at(i).tells));
  for (std::size_t i = 0; i < quantiles_.size(); ++i) {
    measurement_declaration& made = into.emplace_back(declared(quantiles_[i], signal_kind::distribution, unit::seconds, telling::slowness));
    made.quantile = quantiles.at(i).second;
    made.of = latencies_;
  }
}

void tally_signals::measure(std::vector<measurement>& into, const tally& from, double over) const {
  const auto count = static_cast<double>(from.requests);
  const auto timed = static_cast<double>(from.latencies.count());
  const bool quiet = from.requests == 0;
  if (!by_.shares_only) into.push_back({requests_.name, count, quiet});
  if (over > 0 && !by_.shares_only) into.push_back({rps_.name, pooled{count, over}, quiet});
  for (std::size_t i = 0; i < rates_.size(); ++i) {
    const double all = rates.at(i).of_timed ? timed : count;
    into.push_back({rates_[i].name, pooled{static_cast<double>(from.*rates.at(i).counts), all}, all == 0});
  }
  if (!quantiles_.empty()) into.push_back({latencies_, std::make_shared<const sketch>(from.latencies), from.latencies.count() == 0});
}

}  // namespace flipback::access_log
