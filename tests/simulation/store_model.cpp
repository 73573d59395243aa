#include "tests/simulation/store_model.hpp"

#include "agent/deployment/facts.hpp"

#include <algorithm>

namespace flipback::simulation {

using deployment::fact;

namespace {

struct placing {
  moment now;
  bool same_boot;

  /// A time that is past by its nature.
  void past(moment& m) const {
    if (!same_boot) m.at = std::min(now.at, now.at - std::chrono::duration_cast<duration>(now.wall - m.wall));
  }
  void coming(moment& m) const {
    if (!same_boot) m.at = now.at - std::chrono::duration_cast<duration>(now.wall - m.wall);
  }
};

}  // namespace

deployment::started recalled(const stored_facts& kept, const moment& now, unsigned boot) {
  deployment::started made;
  if (kept.epoch) {
    const placing p{now, kept.epoch->boot == boot};
    deployment::recollection r = kept.epoch->was;
    r.other_boot = !p.same_boot;
    r.clock_is_behind = !p.same_boot && now.wall < r.seen.wall;
    p.past(r.then.began);
    p.past(r.seen);
    if (r.then.back) p.past(r.then.back->left);
    made.recalled = r;
    made.departures = kept.epoch->departures;
    for (auto& d : made.departures) p.past(d.at);
    for (auto& at : made.recalled->changes_in_place) p.past(at);
    made.in_doubt = kept.epoch->in_doubt;
    for (auto& [rule, at] : made.in_doubt.troubled) p.past(at);
    if (made.in_doubt.mark) p.past(*made.in_doubt.mark);
  }
  if (kept.held) {
    const placing p{now, kept.held->boot == boot};
    made.held = kept.held->what;
    p.past(made.held->since);
    p.coming(made.held->until);
  }
  if (kept.latched) {
    const placing p{now, kept.latched->boot == boot};
    made.latched = kept.latched->what;
    p.past(made.latched->shut);
  }
  if (kept.failures) {
    const placing p{now, kept.failures->boot == boot};
    made.failures = kept.failures->what;
    for (auto& f : made.failures) p.past(f.at);
  }
  return made;
}

void copy_fact(fact which, const deployment::state& s, const moment& now, unsigned boot, stored_facts& into) {
  switch (which) {
    case fact::epoch:
      if (s.track.now) into.epoch = stored_epoch{what_would_be_recalled(s, now), doubts_to_keep(s, now), s.track.departures, boot};
      return;
    case fact::hold:
      into.held.reset();
      if (s.held) into.held = of_boot<deployment::hold>{*s.held, boot};
      return;
    case fact::latch:
      into.latched.reset();
      if (s.latched) into.latched = of_boot<deployment::latch>{*s.latched, boot};
      return;
    case fact::failures:
      into.failures = of_boot<std::vector<deployment::failure>>{s.failures, boot};
      return;
  }
}

}  // namespace flipback::simulation
