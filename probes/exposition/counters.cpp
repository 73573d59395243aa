#include "probes/exposition/counters.hpp"

namespace flipback::exposition {

bool counters::see(std::string_view key, double value, purpose of) {
  auto at = all_.find(key);
  if (at == all_.end()) {
    if (all_.size() >= most) return false;
    at = all_.emplace(key, series{}).first;
  }
  series& s = at->second;
  if (s.seen == scrape_) return true;
  s.of = of;
  s.now = value;
  s.seen = scrape_;
  fell_ = fell_ || (s.before && value < *s.before);
  return true;
}

void counters::close(growth how, bool another, const std::function<void(purpose, double, std::optional<double>)>& each) {
  for (auto at = all_.begin(); at != all_.end();) {
    series& s = at->second;
    if (s.seen != scrape_ && (another || s.seen + remembered < scrape_)) {
      at = all_.erase(at);
      continue;
    }
    if (s.seen == scrape_) {
      const bool from_zero = how == growth::from_zero || !s.before || s.now < *s.before;
      const double grown = from_zero ? s.now : s.now - *s.before;
      each(s.of, s.now, how == growth::none ? std::nullopt : std::optional(grown));
      s.before = s.now;
    }
    ++at;
  }
  ++scrape_;
  fell_ = false;
}

void counters::abandon() {
  ++scrape_;
  fell_ = false;
}

}  // namespace flipback::exposition
