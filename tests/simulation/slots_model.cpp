#include "tests/simulation/slots_model.hpp"

#include <array>
#include <utility>

namespace flipback::simulation {

using deployment::reply;

slots_model::slots_model(const setup& how) : how_(how), slots_(how.by.slots.size()) {}

void slots_model::become(slot_number n, condition c, duration now) {
  slots_[n].is = c;
  slots_[n].since = now;
}

void slots_model::deploy(slot_number n, std::string release, condition quality, duration now) {
  slots_[n].release = std::move(release);
  slots_[n].when_started = quality;
  slots_[n].deployed = now;
  become(n, quality, now);
}

double slots_model::failing(slot_number n) const {
  switch (slots_[n].is) {
    case condition::well:
      return 0;
    case condition::bad:
      return slots_[n].errors;
    default:
      return 1;
  }
}

bool slots_model::is_well(slot_number n) const {
  return slots_[n].is == condition::well || slots_[n].is == condition::bad;
}

reply slots_model::reply_of(slot_number n) const {
  reply r;
  const slot& s = slots_[n];
  if (s.is == condition::slow) {
    r.says = "no answer within 1s";
    return r;
  }
  if (!is_well(n)) {
    r.is = reply::kind::failing;
    r.status = s.is == condition::stopped ? 502 : 503;
    r.says = "5xx";
    return r;
  }
  r.status = 200;
  r.is = how_.tells == told_by::nothing ? reply::kind::anonymous : reply::kind::identified;
  const std::string& colour = how_.by.slots[n];
  r.identity = how_.tells == told_by::version ? s.release : colour;
  r.release = how_.tells == told_by::colour ? colour : s.release;
  if (how_.tells == told_by::nothing) r.identity = r.release = {};
  r.says = r.identity.empty() ? "200" : r.identity;
  return r;
}

deployment::slot_reply slots_model::asked_directly(slot_number n) const {
  deployment::slot_reply r;
  r.self = reply_of(n);
  if (slots_[n].is == condition::stopped) {
    r.self = {};
    r.self.says = "refused";
  }
  r.well = is_well(n);
  r.says = r.well ? "well" : std::string(name_of(slots_[n].is));
  return r;
}

std::string_view name_of(slots_model::condition c) {
  constexpr std::array<std::string_view, 5> names{"well", "bad", "sick", "slow", "stopped"};
  return names.at(static_cast<std::size_t>(c));
}

}  // namespace flipback::simulation
