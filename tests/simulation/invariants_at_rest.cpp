// What must be so once nothing has happened for a while.

#include "tests/simulation/invariants.hpp"

#include <algorithm>
#include <set>

namespace flipback::simulation {

using deployment::cause;

namespace {

/// Whether what is waited for is under way.
bool is_waiting_anew(const deployment::state& s, const deployment::present& now, const std::string& rule) {
  const auto blame = s.asking_blame.find(rule);
  const auto recent = [&](const std::optional<instant>& asked) { return asked && now.at.at - *asked < seconds(5); };
  return recent(s.asking_stable) || recent(s.asking_ready) || (blame != s.asking_blame.end() && recent(blame->second)) ||
         (s.stable && now.at.at - s.stable->asked < seconds(3)) ||
         (s.ready && now.at.at - s.ready->looked < deployment::readiness_counts_for + seconds(2));
}

}  // namespace

void invariants::settled(const deployment::state& s, const deployment::present& now, bool rolls_back) {
  const bool just_begun = s.under_way && now.at.at - s.under_way->begun.at < std::chrono::minutes(1);
  if (just_begun) return;
  if (rolls_back || s.under_way) fail("a rollback is still under way, long after everything was quiet");
  if (s.order) fail("an order still waits, long after everything was quiet");
  check_verbs(true);
  if (!s.when_stored.empty()) fail("a verb still waits for the disk");
  if (!s.unstored.empty()) fail("it believes that a fact is not on disk, long after the disk was well");
  for (const auto& rule : now.rules) {
    if (!rule.breached || rule.holds != deployment::answer::yes) continue;
    cause why;
    why.rule = rule.name;
    const auto w = deployment::weigh(s, world_.how.by, now, why);
    const auto last_for = now.at.at - std::max(rule.true_since, s.track.now ? s.track.now->began.at : instant{});
    if (w.is == deployment::stance::act && last_for > seconds(30))
      fail(fmt::format("nothing is in the way of {}, and it does not act", rule.name));
    if (w.is == deployment::stance::waits && last_for > seconds(30) && w.by != deployment::guard::short_window &&
        !is_waiting_anew(s, now, rule.name))
      fail(fmt::format("{} waits for an answer, and nothing is asked: {}", rule.name, w.says));
  }
  if (world_.journal.open()) fail("the journal has an attempt open, long after everything was quiet");
  // Files that the agent wrote last say one thing.
  std::set<std::string> by_agent;
  bool by_others = false;
  for (std::size_t f = 0; f < world_.how.files; ++f) {
    const auto* e = world_.disk.find(world_.nginx.live_path(f));
    const auto whose = world_.nginx.named_by(f);
    by_others = by_others || e->by == disk_model::author::person || e->torn || !whose;  // an undo puts back what a person had written
  }
  const auto names = world_.nginx.intent();
  if (!by_others && names.is != deployment::intent::kind::names)
    fail(fmt::format("the live files don't agree, and nobody but the agent wrote them: {}", names.says));
  // What is known to be live is what users reach, where that can be seen.
  const auto truth = world_.nginx.leads_to();
  const bool told_apart = world_.how.log || ((world_.how.tells == told_by::colour || world_.how.tells == told_by::both) &&
                                             world_.how.cache != cache_kind::whole);
  const bool answers = truth && (world_.how.log || world_.slots.is_well(*truth));
  if (told_apart && answers && world_.how.sites == site_kind::plain && !world_.how.by.canary && names.named() == truth) {
    if (!s.track.now)
      fail("it is not known which slot is live, though it can be seen");
    else if (s.track.now->live.slot != *truth)
      fail(fmt::format("it believes that {} is live, and users reach {}", world_.how.by.slots[s.track.now->live.slot],
                       world_.how.by.slots[*truth]));
  }
}

void invariants::must_have_rolled_back(duration since) {
  if (!rolled_back_at_) fail(fmt::format("a bad release was not rolled back within {}", format_duration(world_.time.now() - since)));
}

}  // namespace flipback::simulation
