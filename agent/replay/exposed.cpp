#include "agent/replay/exposed.hpp"

#include "probes/exposition/measure.hpp"
#include "probes/exposition/scrape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::replay {

namespace {

/// Adds what one more target counted in about the same time.
void pool(measured& into, const measured& more) {
  if (auto* ratio = std::get_if<pooled>(&into)) {
    const auto& other = std::get<pooled>(more);
    *ratio = {ratio->numerator + other.numerator, ratio->denominator + other.denominator};
  } else if (auto* counted = std::get_if<std::shared_ptr<const histogram>>(&into)) {
    auto sum = std::make_shared<histogram>(**counted);
    sum->merge(*std::get<std::shared_ptr<const histogram>>(more));
    *counted = std::move(sum);
  } else {
    std::get<double>(into) += std::get<double>(more);
  }
}

}  // namespace

exposed::exposed(const exposition::terms& by, const declarations& declared, duration step)
    : by_(&by), gap_(std::max(by.longest_gap, exposition::usual_gap(step))) {
  for (const measurement_declaration& d : declared.all()) {
    const std::string_view name = d.of.empty() ? d.name : d.of;
    if (std::ranges::find(measurements_, name, &merged::name) != measurements_.end()) continue;
    measurements_.push_back({name, d.kind, d.kind == signal_kind::ratio && d.in == unit::per_second});
  }
}

void exposed::take(const scrapes::scrape& one, const taker& into) {
  const instant now = instant_of(one.at);
  if (now != now_) give(into);
  now_ = now;
  target& its = targets_[one.target];
  if (!its.counts) its.counts = std::make_unique<exposition::ledger>(by_->look_at);
  note(one.target, look(its, one, now));
}

observation exposed::look(target& its, const scrapes::scrape& one, instant now) const {
  for (const exposition::item& i : one.items) {
    if (its.counts->take(i)) continue;
    its.counts->abandon();
    return observation::fail(reason::too_large, fmt::format("more than {} series are to be counted", exposition::counters::most));
  }
  exposition::reading seen = its.counts->close(static_cast<double>(one.at) / 1000);
  const instant since = std::exchange(its.last, now);
  if (now - since > gap_) seen.how = exposition::growth::none;
  findings found;
  exposition::measure(found, *by_, seen, since, now);
  return found.take();
}

void exposed::note(std::uint32_t of, const observation& seen) {
  ++scrapes_;
  newest_ = seen.says;
  if (seen.result != outcome::pass && unwell_++ == 0) first_unwell_ = seen.says;
  for (merged& m : measurements_) {
    const auto found = std::ranges::find(seen.measurements, m.name, &measurement::name);
    if (found == seen.measurements.end()) {
      // One that never measured it has nothing to miss: another job's target.
      if (const auto known = m.parts.find(of); known != m.parts.end()) known->second = {now_, now_, std::nullopt, false};
      continue;
    }
    m.parts[of] = {now_, found->since == instant{} ? now_ : found->since, found->value, found->quiet};
    if (m.kind == signal_kind::counter) count(m, of, std::get<double>(found->value));
  }
}

/// A target that is new brings no growth with it: nobody saw when it began.
void exposed::count(merged& m, std::uint32_t of, double value) {
  const auto [known, is_new] = m.counted.try_emplace(of, value);
  if (!m.total) m.total = value;
  *m.total += value - std::exchange(known->second, value);
}

void exposed::give(const taker& into) {
  for (merged& m : measurements_) {
    std::erase_if(m.parts, [&](const auto& p) { return now_ - p.second.at > gap_; });
    if (auto s = sum_of(m)) {
      m.newest = s->at;
      into(m.name, *s);
    }
  }
}

/// What the targets that were scraped now make of it together; nothing where none of them says anything of it.
std::optional<sample> exposed::sum_of(const merged& m) const {
  sample made{now_, now_, std::nullopt, true};
  bool scraped = false;
  bool is_known = false;  // by a target that was not scraped at this time
  for (const auto& [of, p] : m.parts) {
    const bool now = p.at == now_;
    scraped = scraped || now;
    is_known = is_known || (!now && p.value);
    // What was counted belongs to its own time, what is shown lasts until the next scrape.
    if (!p.value || (!now && m.kind != signal_kind::gauge)) continue;
    if (now) made.from = std::min(made.from, p.since);
    made.quiet = made.quiet && p.quiet;
    if (made.value)
      pool(*made.value, *p.value);
    else
      made.value = p.value;
  }
  if (!scraped || (!made.value && is_known)) return std::nullopt;
  if (!made.value) return sample{now_, now_, std::nullopt, false};
  if (m.kind == signal_kind::counter) made.value = *m.total;
  // Several targets' rates add up: together they are of the time since any of them was scraped.
  auto* const rate = std::get_if<pooled>(&*made.value);
  if (rate != nullptr && m.per_second) rate->denominator = to_seconds(now_ - std::max(m.newest, made.from));
  return made;
}

std::string exposed::summary() const {
  std::string says = fmt::format("{} scrapes of {} {}, the last says: {}", scrapes_, targets_.size(),
                                 targets_.size() == 1 ? "target" : "targets", newest_);
  if (unwell_ > 0) says += fmt::format("; {} were not well, the first says: {}", unwell_, first_unwell_);
  return says;
}

}  // namespace flipback::replay
