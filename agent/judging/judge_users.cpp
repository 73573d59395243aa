// What users meet with, whatever the rules make of it.

#include "agent/judging/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace flipback {

/// Whoever counts requests, of each kind the signal and its series: of all users, and of the live slot alone where that is told apart.
void judge::find_users(const rules::catalogue& signals, rules::compiled& into) {
  constexpr duration kept_for = std::chrono::minutes(3);
  for (const config::made_probe& p : made_) {
    const auto samples = [&](const std::string& name) {
      const signal* const known = signals.find(name);
      if (known != nullptr) rules::keep(into, *known, kept_for);
      return known == nullptr ? std::string() : known->samples;
    };
    const auto counts = [&](const char* measurement, telling what) {
      const signal* const known = signals.find(fmt::format("{}.{}", p.entry->name, measurement));
      if (known == nullptr || known->tells != what) return users_count{};
      return users_count{samples(known->name), samples(known->narrowed)};
    };
    const of_users found{p.entry->every, counts("error_rate", telling::errors), counts("slow_rate", telling::slowness),
                         counts("p95", telling::slowness).all};
    if (!found.errors.all.empty() || !found.slow.all.empty()) of_users_.push_back(found);
  }
  // One that is named so is of this deployment's users; of the others the first.
  const auto named = std::ranges::find_if(of_users_, [](const of_users& u) { return u.errors.all.starts_with("traffic."); });
  if (named != of_users_.end()) std::rotate(of_users_.begin(), named, std::next(named));
}

pooled judge::counts_of(const std::string& samples, instant from, instant to) const {
  const auto series = samples.empty() ? std::nullopt : engine_.series_named(samples);
  return series ? engine_.series_at(*series).counts_between(from, to) : pooled{};
}

/// Who counts the same requests elsewhere says nothing more: the first that has seen some counts.
std::optional<incident::users_met> judge::users_between(instant from, instant to, whose of) const {
  std::optional<incident::users_met> met;
  for (const of_users& each : of_users_) {
    // Samples that lie in part before are of that time, too: for a look at now as many are taken as tell something.
    const instant since = of == whose::all ? std::min(from, to - 2 * each.every) : from;
    const auto counts = [&](const users_count& c) { return counts_of(of == whose::live && !c.live.empty() ? c.live : c.all, since, to); };
    met = incident::users_met{counts(each.errors), counts(each.slow), {}};
    if (const auto series = each.latencies.empty() ? std::nullopt : engine_.series_named(each.latencies))
      met->p95 = engine_.series_at(*series).quantile_between(0.95, since, to);
    if (met->errors.denominator > 0 || met->slow.denominator > 0) break;
  }
  return met;
}

}  // namespace flipback
