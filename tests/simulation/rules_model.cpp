#include "tests/simulation/rules_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::simulation {

using deployment::answer;
using deployment::rule_now;

rules_model::rules_model(const setup& how, const traffic_model& traffic, const clocks& clock, const faults& now)
    : how_(how), traffic_(traffic), clock_(clock), faults_(now), rules_(how.rules.size()) {}

void rules_model::start_anew(duration from, bool forgive) {
  for (standing& r : rules_) r = {{}, false, false, false, !forgive && r.true_since.has_value()};
  anew_ = from;
  next_ = traffic_.all().size();
  while (next_ > 0 && traffic_.all()[next_ - 1].ends > std::max(anew_, watching_since_)) --next_;
}

std::optional<double> rules_model::share(duration from, std::size_t to) const {
  double requests = 0;
  double errors = 0;
  for (std::size_t i = to + 1; i-- > 0 && traffic_.all()[i].ends > from;) {
    const auto& s = traffic_.all()[i];
    for (slot_number n = 0; n < s.requests.size(); ++n) {
      if (live_ && n != *live_) continue;
      requests += s.requests[n];
      errors += s.errors[n];
    }
  }
  if (requests < 20) return std::nullopt;
  return errors / requests;
}

void rules_model::judge(std::size_t sample) {
  const duration now = traffic_.all()[sample].ends;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const rule_setup& r = how_.rules[i];
    standing& s = rules_[i];
    const duration from = now - r.window;
    const auto is = from < std::max(anew_, watching_since_) ? std::nullopt : share(from, sample);
    s.known = is.has_value();
    if (!is) continue;
    s.holds = *is > r.limit;
    // A breach lasts until it is clearly over, though its condition is not true any more.
    if (!s.holds && (!s.breached || *is <= r.limit * 0.8)) {
      s.true_since.reset();
      s.breached = false;
    } else if (s.holds && !s.true_since) {
      s.true_since = now;
    }
  }
}

bool rules_model::read(std::optional<slot_number> live, duration now) {
  if (faults_.log_silent) {
    for (standing& s : rules_) s.known = false;
    return false;
  }
  live_ = live;
  for (; next_ < traffic_.all().size(); ++next_) judge(next_);
  bool changed = false;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    standing& s = rules_[i];
    if (s.known && s.holds && s.true_since && now - *s.true_since >= how_.rules[i].lasts) changed |= !std::exchange(s.breached, true);
  }
  return changed;
}

std::vector<std::string> rules_model::not_this_release() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (rules_[i].true_before) names.push_back(how_.rules[i].name);
  }
  return names;
}

std::vector<rule_now> rules_model::at(duration now, const deployment::state& s) const {
  std::vector<rule_now> found;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const standing& is = rules_[i];
    const rule_setup& r = how_.rules[i];
    if (!is.true_since) continue;
    rule_now made;
    made.name = r.name;
    made.breached = is.breached;
    made.true_since = clock_.at(*is.true_since).at;
    made.lasts = r.lasts;
    made.why = "errors";
    made.holds = !is.known ? answer::cant_tell : is.holds ? answer::yes : answer::no;
    made.mode = r.mode;
    made.not_this_release = is.true_before;
    made.withheld = faults_.withheld ? answer::yes : answer::no;
    if (faults_.shared_is_ill) made.shared_is_ill = "the database can't be reached";
    if (faults_.one_client) made.one_client = "one client makes the errors";
    if (const auto mark = deployment::mark_of(s, r.name, made.true_since)) {
      const instant at = clock_.at(now).at;
      if (next_ > 0 && clock_.at(traffic_.all()[next_ - 1].ends - r.short_window).at >= *mark) {
        const auto since = share(traffic_.all()[next_ - 1].ends - r.short_window, next_ - 1);
        made.above_since_mark = since && *since > r.limit ? answer::yes : answer::no;
      } else if (at >= *mark) {
        made.above_since_mark = answer::no;
      }
    }
    found.push_back(std::move(made));
  }
  return found;
}

}  // namespace flipback::simulation
