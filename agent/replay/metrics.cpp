#include "agent/replay/metrics.hpp"

#include "agent/config/catalogue.hpp"
#include "agent/event_lines.hpp"
#include "agent/replay/exposed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace flipback::replay {

namespace {

constexpr duration unknown_step = std::chrono::minutes(1);  // of a signal with one sample

bool is_signal_name(std::string_view name) {
  const std::size_t point = name.find('.');
  return point != std::string_view::npos && declarations::is_name(name.substr(0, point)) &&
         std::ranges::all_of(name.substr(point + 1), [](char c) { return c == '.' || declarations::is_name({&c, 1}); }) &&
         !name.ends_with('.');
}

instant time_of(const rules::replay::entry& e) {
  if (const auto* cut = std::get_if<rules::replay::cut_over>(&e)) return cut->at;
  return std::get<rules::replay::window_changed>(e).at;
}

}  // namespace

metrics::metrics(const config::configuration& from, settings::diagnostics& problems)
    : declared_(declared_by(from, problems)),
      window_((from.deployment ? *from.deployment : config::deployment()).window),
      scrapes_([this](std::string_view metric) { return looks_at(metric); }) {
  for (const exposition_probe& p : declared_.expositions) ledgers_.emplace_back(p.by.look_at);
}

bool metrics::looks_at(std::string_view metric) const {
  return std::ranges::any_of(ledgers_, [&](const exposition::ledger& l) { return l.looks_at(metric); });
}

std::expected<void, std::string> metrics::add_text(std::string_view text) {
  has_text_ = true;
  const auto looked_at = scrapes_.read(text);
  if (!looked_at) return std::unexpected(looked_at.error());
  if (*looked_at > 0) return {};
  std::vector<std::string_view> names;
  for (const exposition_probe& p : declared_.expositions) {
    for (const exposition::naming& n : p.by.look_at.namings) names.push_back(n.requests);
    for (const exposition::metric& m : p.by.look_at.metrics) names.push_back(m.name);
  }
  return std::unexpected(fmt::format("has nothing of what is looked at: {}", fmt::join(names, ", ")));
}

std::expected<void, std::string> metrics::add_query(const std::string& signal, std::string_view answer) {
  const auto to = query_of(signal, false);
  if (!to) return std::unexpected(to.error());
  return (*to)->numerator.add(answer, true);
}

std::expected<void, std::string> metrics::add_ratio(const std::string& signal, std::string_view numerator, std::string_view denominator) {
  const auto to = query_of(signal, true);
  if (!to) return std::unexpected(to.error());
  if (auto added = (*to)->numerator.add(numerator, false); !added) return std::unexpected(fmt::format("the numerator: {}", added.error()));
  if (auto added = (*to)->denominator.add(denominator, false); !added)
    return std::unexpected(fmt::format("the denominator: {}", added.error()));
  return {};
}

std::expected<metrics::query*, std::string> metrics::query_of(const std::string& signal, bool is_ratio) {
  if (!is_signal_name(signal))
    return std::unexpected(fmt::format("found the name {}, expected a signal's, such as traffic.error_rate", signal));
  const auto [at, is_new] = queries_.try_emplace(signal);
  if (is_new) at->second.is_ratio = is_ratio;
  if (at->second.is_ratio != is_ratio)
    return std::unexpected(fmt::format("{} is given once as a number and once as a numerator and a denominator", signal));
  return &at->second;
}

std::expected<void, std::string> metrics::finish(std::vector<wall_time> cutovers) {
  if (has_text_) {
    if (auto done = measure_texts(); !done) return done;
  }
  for (auto& [name, from] : queries_) {
    if (auto done = measure_query(name, from); !done) return done;
  }
  if (samples_.empty()) return std::unexpected("there is nothing to tell rules: rates need two scrapes of one target");
  std::ranges::sort(samples_, {}, [](const rules::replay::sampled& s) { return std::pair(s.is.at, s.series); });
  for (const signal& s : declared_.all.all()) add_signal(s);
  if (!cutovers.empty()) {
    for (const char* slot : {"live", "stable"})
      add_signal(config::signal_of(slot, config::common_measurements()[0], std::chrono::seconds(1)));
  }
  return place(std::move(cutovers));
}

std::expected<void, std::string> metrics::measure_texts() {
  scrapes_.sort();
  const duration step = scrapes_.step().value_or(unknown_step);
  for (const exposition_probe& p : declared_.expositions) {
    for (const measurement_declaration& d : p.declared.all()) {
      signal s = config::signal_of(p.name, d, p.every);
      s.stale = std::max(s.stale, 3 * step);
      if (queries_.contains(s.name)) return std::unexpected(fmt::format("{} is given by name, and by the texts too", s.name));
      add_signal(std::move(s));
    }
    exposed probe(p.by, p.declared, step);
    const auto take = [&](std::string_view measurement, const sample& s) {
      samples_.push_back({number_of(fmt::format("{}.{}", p.name, measurement)), s});
    };
    scrapes_.each([&](const scrapes::scrape& one) { probe.take(one, take); });
    probe.end(take);
    notes_.push_back(fmt::format("{}: {}", p.name, probe.summary()));
  }
  return {};
}

std::expected<void, std::string> metrics::measure_query(const std::string& name, query& from) {
  const signal* known = declared_.all.find(name);
  signal s = queried_signal(name, declared_);
  const auto covers = declared_.covers.find(name);
  const duration before = covers == declared_.covers.end() ? duration{} : covers->second;
  const tracks& whole = from.is_ratio ? from.denominator : from.numerator;
  if (whole.times().empty()) return std::unexpected(fmt::format("{}: the answer has no series, or no samples in them", name));
  s.stale = std::max<duration>(s.stale, 3 * step_of(whole.times()).value_or(unknown_step));
  if (from.is_ratio) {
    s.kind = signal_kind::ratio;
    if (known == nullptr || known->kind != signal_kind::ratio) s.in = unit::ratio;
  } else if (s.kind == signal_kind::gauge && s.in == unit::ratio && name.ends_with("_rate")) {
    notes_.push_back(
        fmt::format("{0}: a number has no requests, so that no rule with min_samples or min_errors on them, as the built-in "
                    "ones, can be judged by it as it would be; {0}=NUMERATOR,DENOMINATOR gives them",
                    name));
  }
  const std::uint32_t number = number_of(name);
  add_signal(std::move(s));
  const auto made = from.is_ratio ? samples_of(from.numerator, from.denominator, before) : samples_of(from.numerator, before);
  for (const sample& one : made) samples_.push_back({number, one});
  return {};
}

std::expected<void, std::string> metrics::place(std::vector<wall_time> cutovers) {
  std::ranges::sort(cutovers);
  const instant first = samples_.front().is.at;
  const instant last = samples_.back().is.at;
  for (std::size_t i = 0; i < cutovers.size(); ++i) {
    const instant at = instant_of(cutovers[i]);
    if (at < first || at > last)
      return std::unexpected(fmt::format("--cutover: found {}, expected a time of the metrics, which are of {} to {}",
                                         time_text(cutovers[i]), time_text(wall_of(first)), time_text(wall_of(last))));
    cutovers_.emplace_back(rules::replay::cut_over{at});
    cutovers_.emplace_back(rules::replay::window_changed{at, true});
    const bool outlived = i + 1 < cutovers.size() && instant_of(cutovers[i + 1]) <= at + window_;
    if (!outlived && at + window_ <= last) cutovers_.emplace_back(rules::replay::window_changed{at + window_, false});
  }
  return {};
}

void metrics::tell(const std::function<void(const rules::replay::entry&)>& take) const {
  const instant first = samples_.front().is.at;
  take(rules::replay::beginning{first, wall_of(first), false});
  for (const signal& s : signals_.all()) take(rules::replay::declared{numbers_.at(s.samples), s});
  auto next = cutovers_.begin();
  for (const rules::replay::sampled& s : samples_) {
    // A sample speaks of the time until its own: one at the cutover is the last before it.
    for (; next != cutovers_.end() && time_of(*next) < s.is.at; ++next) take(*next);
    take(s);
  }
  for (; next != cutovers_.end(); ++next) take(*next);
}

std::uint32_t metrics::number_of(const std::string& samples) {
  return numbers_.try_emplace(samples, static_cast<std::uint32_t>(numbers_.size())).first->second;
}

void metrics::add_signal(signal s) {
  number_of(s.samples);
  signals_.add(std::move(s));
}

}  // namespace flipback::replay
