#include "probes/access_log/traffic_signals.hpp"

#include "flipback/quoted.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

namespace flipback::access_log {

namespace {

constexpr std::size_t most_paths_said = 3;
constexpr const char* of_live = "live.";
constexpr const char* of_live_anew = "live.anew.";

/// What has most errors: "GET /api/a 12, GET /api/b 3".
std::string most_errors(const pool& of) {
  std::string all;
  for (const auto& [request, count] : of.errors_top.largest(most_paths_said))
    all += fmt::format("{}{} {}", all.empty() ? "" : ", ", flipback::quoted(request, {}, 60), count);
  return all;
}

std::string sentence(const pool& of, std::span<const field> missing) {
  std::string says = fmt::format("{} requests, {} errors", of.all.requests, of.all.errors);
  if (of.errors_top.total() > 0) says += fmt::format(" ({})", most_errors(of));
  if (of.elsewhere > 0) says += fmt::format(", {} more to no slot", of.elsewhere);
  if (of.malformed > 0) says += fmt::format(", {} lines that are not in its format", of.malformed);
  if (missing.empty()) return says;
  std::vector<std::string_view> lacks;
  for (const field f : missing) lacks.push_back(name_of(f));
  return fmt::format("{}; the log has no {}", says, fmt::join(lacks, ", "));
}

}  // namespace

traffic_signals::traffic_signals(const abilities& can_tell, std::span<const slot_upstreams> slots, duration lag_limit)
    : can_tell_(can_tell),
      lag_limit_(lag_limit),
      all_({.prefix = "", .with_latency = can_tell.latency, .narrowed_by = can_tell.slots && !slots.empty() ? of_live : ""}) {
  if (can_tell_.slots && !slots.empty()) {
    live_.emplace(tally_signals::terms{
        .prefix = of_live, .with_latency = can_tell.latency, .narrowed_by = {}, .of_live = true, .anew_by = of_live_anew});
    anew_.emplace(tally_signals::terms{
        .prefix = of_live_anew, .with_latency = can_tell.latency, .narrowed_by = {}, .of_live = true, .shares_only = true});
  }
  if (can_tell_.attempts) {
    for (const slot_upstreams& s : slots)
      slots_.emplace_back(tally_signals::terms{.prefix = s.slot + ".", .with_latency = can_tell_.attempt_times, .narrowed_by = {}});
  }
  all_.declare(declared_);
  for (const tally_signals& s : slots_) s.declare(declared_);
  const auto declare = [&](std::string_view name, signal_kind kind, unit in, duration stale = {}) {
    declared_.push_back({.name = name, .kind = kind, .in = in, .stale = stale});
  };
  if (live_) {
    live_->declare(declared_);
    anew_->declare(declared_);
    declare("elsewhere", signal_kind::ratio, unit::ratio, traffic_stale);
  }
  if (can_tell_.paths) declare("error_rate_by_path", signal_kind::ratios, unit::ratio, traffic_stale);
  if (can_tell_.time) declare("lag", signal_kind::gauge, unit::seconds);
  if (can_tell_.local) {
    declare("local_errors", signal_kind::gauge, unit::number);
    declare("local_error_rate", signal_kind::ratio, unit::ratio, traffic_stale);
  }
  declare("malformed", signal_kind::gauge, unit::number);
}

observation traffic_signals::say(const pool& of, instant since, double over, std::optional<double> now,
                                 std::span<const field> missing) const {
  observation seen = observation::pass(sentence(of, missing));
  if (of.newest_line > 0 && now) {
    const double lag = std::max(0.0, *now - of.newest_line);
    if (lag > to_seconds(lag_limit_)) {
      seen = observation::fail(reason::no_prerequisite, fmt::format("the log is buffered: its newest line came {} late",
                                                                    format_duration(from_seconds(std::round(lag)))));
    }
    seen.measure("lag", lag);
    if (seen.result != outcome::pass) return seen;
  }
  if (can_tell_.local) seen.measure("local_errors", static_cast<double>(of.local_errors));
  seen.measure("malformed", static_cast<double>(of.malformed));
  measure(seen.measurements, of, over);
  for (measurement& m : seen.measurements) m.since = since;
  return seen;
}

void traffic_signals::measure_live(std::vector<measurement>& into, const counts& of, instant since, double over, bool is_anew) const {
  if (!live_) return;
  const std::size_t first = into.size();
  live_->measure(into, of.live, over);
  if (is_anew) anew_->measure(into, of.anew, over);
  for (measurement& m : std::span(into).subspan(first)) m.since = since;
}

void traffic_signals::measure(std::vector<measurement>& into, const counts& of, double over) const {
  all_.measure(into, of.all, over);
  const auto in = static_cast<double>(of.came_in());
  if (live_) into.push_back({"elsewhere", pooled{static_cast<double>(of.elsewhere), in}, in == 0});
  if (can_tell_.paths) into.push_back({"error_rate_by_path", std::make_shared<const ratios>(of.by_path), of.all.requests == 0});
  if (can_tell_.local) into.push_back({"local_error_rate", pooled{static_cast<double>(of.local_failures), in}, in == 0});
  for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].measure(into, of.slots[i], over);
}

}  // namespace flipback::access_log
