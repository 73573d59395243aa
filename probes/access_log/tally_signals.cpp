#include "probes/access_log/tally_signals.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace flipback::access_log {

namespace {

struct rate {
  std::string_view name;
  std::uint64_t tally::* counts;
};
constexpr std::array rates{rate{"error_rate", &tally::errors}, rate{"client_error_rate", &tally::client_errors},
                           rate{"success_rate", &tally::successes}, rate{"limited_rate", &tally::limited},
                           rate{"aborted_rate", &tally::aborted}};
constexpr std::array<std::pair<std::string_view, double>, 4> quantiles{{{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}}};

}  // namespace

tally_signals::tally_signals(const std::string& prefix, bool with_latency)
    : requests_(prefix + "requests"), rps_(prefix + "rps"), latencies_(prefix + "latencies") {
  for (const rate& r : rates) rates_.push_back(prefix + std::string(r.name));
  if (!with_latency) return;
  for (const auto& [name, q] : quantiles) quantiles_.push_back(prefix + std::string(name));
}

void tally_signals::declare(std::vector<measurement_declaration>& into) const {
  into.push_back({requests_, signal_kind::gauge, unit::number, 0, {}, traffic_stale});
  into.push_back({rps_, signal_kind::ratio, unit::per_second, 0, {}, traffic_stale});
  for (const std::string& name : rates_) into.push_back({name, signal_kind::ratio, unit::ratio, 0, {}, traffic_stale});
  for (std::size_t i = 0; i < quantiles_.size(); ++i)
    into.push_back({quantiles_[i], signal_kind::distribution, unit::seconds, quantiles.at(i).second, latencies_, traffic_stale});
}

void tally_signals::measure(std::vector<measurement>& into, const tally& from, double over) const {
  const auto count = static_cast<double>(from.requests);
  const bool quiet = from.requests == 0;
  into.push_back({requests_, count, quiet});
  if (over > 0) into.push_back({rps_, pooled{count, over}, quiet});
  for (std::size_t i = 0; i < rates_.size(); ++i)
    into.push_back({rates_[i], pooled{static_cast<double>(from.*rates.at(i).counts), count}, quiet});
  if (!quantiles_.empty()) into.push_back({latencies_, std::make_shared<const sketch>(from.latencies), from.latencies.count() == 0});
}

}  // namespace flipback::access_log
