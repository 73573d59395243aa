#include "agent/config/catalogue.hpp"

#include "flipback/lacking_signals.hpp"

#include <fmt/format.h>

namespace flipback::config {

namespace {

constexpr std::array common{
    measurement_declaration{"up", signal_kind::outcome, unit::number},
    measurement_declaration{"reachable", signal_kind::outcome, unit::number},
    measurement_declaration{"latency", signal_kind::gauge, unit::seconds},
    measurement_declaration{"consecutive_failures", signal_kind::gauge, unit::number},
    measurement_declaration{"failure_ratio", signal_kind::ratio, unit::ratio},
};

}  // namespace

std::span<const measurement_declaration> common_measurements() {
  return common;
}

signal signal_of(const std::string& probe, const measurement_declaration& m, duration every) {
  signal s;
  s.name = fmt::format("{}.{}", probe, m.name);
  s.kind = m.kind;
  s.in = m.in;
  s.stale = std::max(3 * every, m.stale);
  s.every = every;
  s.quantile = m.quantile;
  s.samples = m.of.empty() ? s.name : fmt::format("{}.{}", probe, m.of);
  if (!m.narrowed.empty()) s.narrowed = fmt::format("{}.{}", probe, m.narrowed);
  s.of_live = m.of_live;
  s.tells = m.tells;
  if (!m.anew.empty()) s.anew = fmt::format("{}.{}", probe, m.anew);
  return s;
}

rules::catalogue signals_of(const configuration& from, std::span<const made_probe> probes) {
  rules::catalogue all;
  const auto add = [&](const std::string& probe, const measurement_declaration& m, duration every) { all.add(signal_of(probe, m, every)); };
  for (const made_probe& p : probes) {
    for (const measurement_declaration& m : common) add(p.entry->name, m, p.entry->every);
    for (const measurement_declaration& m : p.observed->declares()) add(p.entry->name, m, p.entry->every);
    if (const auto* lacking = dynamic_cast<const knows_lacking*>(p.observed.get())) {
      for (auto& [name, why] : lacking->lacks()) all.lack(fmt::format("{}.{}", p.entry->name, name), std::move(why));
    }
  }
  if (from.deployment) {
    const duration every = from.deployment->watch_every;
    for (const char* slot : {"live", "stable", "front_door"}) add(slot, common[0], every);
    for (const slot& s : from.slots) add(s.name, common[0], every);
  }
  return all;
}

}  // namespace flipback::config
