// The part of the decider that takes in what the world says: what an earlier life left, looks, answers, what became of facts.

#include "agent/deployment/deciding.hpp"
#include "agent/deployment/standing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

namespace flipback::deployment {

namespace {

constexpr duration epoch_kept_every = std::chrono::seconds(5);

}  // namespace

void deciding::on(const started& e) {
  s.started = now.at.at;
  s.track.recalled = e.recalled;
  s.track.departures = e.departures;
  s.held = e.held;
  s.latched = e.latched;
  s.failures = e.failures;
  s.in_doubt = e.in_doubt;
  s.track.door_failed = now.at.at;  // what the front door answered in the minute before is not known
  std::map<std::string, std::vector<std::string>> whats_by_why;
  for (const auto& [what, why] : e.unreadable) {
    s.unreadable.insert(what);
    whats_by_why[why].push_back(what);
  }
  for (const auto& [why, whats] : whats_by_why) {
    tell("store.unreadable", severity::critical,
         fmt::format(
             "what was remembered of the {} can't be read ({}): until the next cutover every rollback waits for `flipback approve`{}",
             fmt::join(whats, ", "), why,
             std::ranges::find(whats, name_of(fact::epoch)) == whats.end()
                 ? ""
                 : "; which slot to go back to is not known either: `flipback window open --stable SLOT` says which"));
  }
  s.closing = e.closing;
  if (s.closing) act(close_journal{*s.closing});
  if (!e.cut_off) return;
  s.under_way = e.cut_off;
  s.under_way->is = attempt::phase::changing;
  s.under_way->recovery = true;
  if (e.recalled) s.under_way->epoch = e.recalled->then.number;  // the journal knows of none
  act(begin_rollback{*s.under_way});
}

/// Whether a rollback rule was breached or pending on the release that is live, when it was left if it is being left. What began within a
/// look before the first witness of another may be that one's.
bool deciding::is_troubled() const {
  const tracking& t = s.track;
  if (!t.now) {
    const auto at_the_end = [&](const auto& rule) { return t.recalled->seen.at - rule.second.last.at <= epoch_kept_every; };
    return t.recalled && std::ranges::any_of(s.in_doubt.troubled, at_the_end);
  }
  const instant until = t.arriving ? t.arriving->first.at - by.watch_every : now.at.at;
  return std::ranges::any_of(now.rules, [&](const rule_now& r) { return r.true_since >= t.now->began.at && r.true_since <= until; });
}

void deciding::on(const looked& e) {
  if (s.under_way && s.under_way->is == attempt::phase::changing) {
    see_slots(s.track, e.seen, by);
    return;
  }
  const bool knew = s.track.now.has_value();
  const auto doubted = [&] { return std::pair(s.track.is == agreement::mixed, doubt_of_way_back(s.track, by)); };
  const auto doubted_before = doubted();
  noticed found = see(s.track, e.seen, by, is_troubled());
  for (event& told : found.told) act(say{std::move(told)});
  const bool recalled = !knew && s.track.now && !found.new_epoch;
  if (found.new_epoch) {
    const auto troubled = s.in_doubt.troubled;
    after_new_epoch(found.was_rolled_back);
    if (!knew && !found.was_rolled_back) doubt_what_was_true(troubled);
    const epoch::kind how = s.track.now->is;
    if (how == epoch::kind::switched || how == epoch::kind::in_place) s.unreadable.clear();
    if (s.latched) {
      // A cutover that is seen only after a restart may lie before the attempt: then that was made on what is live now.
      if (s.latched->shut.at >= s.track.now->began.at)
        s.latched->epoch = s.track.now->number;
      else
        s.latched.reset();
      keep_fact(fact::latch);
    }
    // What the rules say at this instant speaks of the epoch before.
    stale_rules = true;
  } else if (recalled) {
    actions.insert(actions.begin(), start_rules_anew{s.track.now->began.at, false, true, s.in_doubt.troubled});
    make_room();
    stale_rules = true;
  }
  const bool is_due = !s.seen_kept || now.at.at - *s.seen_kept >= epoch_kept_every;
  if (s.track.now && (is_due || doubted() != doubted_before)) keep_fact(fact::epoch);
  const bool blocked = s.ready && std::ranges::any_of(s.ready->lacks, &lack::blocking);
  const duration looked_every = blocked ? readiness_counts_for : readiness_looked_every;
  // What stands there now is not what was refused. What the attempt itself did to it, Ready has looked at since.
  const auto& failed = s.in_doubt.failed;
  if (failed && e.seen.configuration_changed && s.ready && s.ready->looked >= failed->newest.at) s.in_doubt.failed.reset();
  const auto& turned = s.track.door_turned;  // nginx was stopped, or is there again: what is ready may be something else
  const bool is_outdated =
      !s.ready || e.seen.configuration_changed || (turned && s.ready->looked < *turned) || now.at.at - s.ready->looked >= looked_every;
  if (is_outdated && !is_asking(s.asking_ready, now.at.at)) ask_for({.ready = true}, {}, {}, std::nullopt);
}

/// A cutover that is seen only after a restart: what the rules saw before it, an earlier life has kept.
void deciding::doubt_what_was_true(const std::map<std::string, trouble>& before) {
  const instant cutover = s.track.now->began.at;
  for (const auto& [rule, t] : before) {
    if (t.last.at <= cutover && cutover - t.last.at < not_this_release_within) s.in_doubt.not_this_release.insert(rule);
  }
}

void deciding::on(const stable_answered& e) {
  s.asking_stable.reset();
  if (s.track.now && e.found.epoch != s.track.now->number) return;
  s.stable = e.found;
  if (e.found.well || e.found.not_asked) return;
  s.track.slots[e.found.slot].sick = e.found.asked;
  if (s.track.now) keep_fact(fact::epoch);
}

void deciding::on(const blame_answered& e) {
  s.asking_blame.erase(e.rule);
  const rule_now* rule = rule_named(now, e.rule);
  const bool of_now = s.track.now && e.epoch == s.track.now->number && rule != nullptr && rule->true_since == e.condition;
  if (!of_now) return;
  blame_standing& b = s.blames[e.rule];
  if (b.epoch != e.epoch || b.condition != e.condition) b = {.epoch = e.epoch, .condition = e.condition};
  b.asked = e.asked;
  b.newest = b.all.add(e.found);
  // What counts afterwards has begun after the answer.
  if (b.newest.is == blame::kind::both_well && !b.first_both_well) b.first_both_well = now.at.at;
  if (b.newest.is == blame::kind::both_fail) s.both_failed = now.at.at;
  if (b.newest.is == blame::kind::both_fail || b.first_both_well == now.at.at) keep_fact(fact::epoch);
}

void deciding::on(const ready_looked& e) {
  s.asking_ready.reset();
  const bool of_now = !s.track.now || e.found.looked >= s.track.now->began.at;
  if (of_now) s.ready = e.found;
}

/// Each lack is said when it comes.
void deciding::say_lacks() {
  std::set<std::string> lacking;
  for (const lack& l : lacks_of(s, by)) {
    lacking.insert(l.what);
    if (s.lacks_said.contains(l.what)) continue;
    event told{"deployment.not_ready", l.blocking ? severity::critical : severity::warning, text_of(l), {}};
    told.with("blocking", l.blocking);
    act(say{std::move(told)});
  }
  if (!s.ready) lacking.insert(s.lacks_said.begin(), s.lacks_said.end());  // it is being looked anew
  s.lacks_said = std::move(lacking);
}

void deciding::on(const stored& e) {
  const bool was = s.unstored.contains(e.fact);
  if (e.trouble.empty())
    s.unstored.erase(e.fact);
  else
    s.unstored[e.fact] = e.trouble;
  if (!e.trouble.empty() && !was)
    tell("store.failed", severity::critical,
         fmt::format("what is remembered of the {} is not on disk and would not outlast a restart: {}", e.fact, e.trouble));
  if (e.trouble.empty() && was) tell("store.stored", severity::info, fmt::format("what is remembered of the {} is on disk now", e.fact));
  const auto waiting = s.when_stored.find(e.fact);
  if (waiting == s.when_stored.end()) return;
  std::erase_if(waiting->second, [&](const state::answer_to_come& a) {
    if (a.serial > e.serial) return false;
    act(answer_verb{
        a.verb, true,
        e.trouble.empty() ? a.text : fmt::format("{}; but it is not on disk and would not outlast a restart: {}", a.text, e.trouble)});
    return true;
  });
  if (waiting->second.empty()) s.when_stored.erase(waiting);
}

}  // namespace flipback::deployment
