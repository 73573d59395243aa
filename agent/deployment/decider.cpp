#include "agent/deployment/decider.hpp"

#include "agent/deployment/deciding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::deployment {

void deciding::ask_for(const needs& missing, const std::string& rule, instant condition, const std::optional<placed>& to) {
  const instant at = now.at.at;
  const std::uint64_t number = s.track.now ? s.track.now->number : 0;
  if (missing.ready && !is_asking(s.asking_ready, at)) {
    s.asking_ready = at;
    act(ask_ready{});
  }
  if (missing.stable && to && !is_asking(s.asking_stable, at)) {
    s.asking_stable = at;
    act(ask_stable{number, to->slot});
  }
  if (!missing.blame || !s.track.now || !to) return;
  const auto asking = s.asking_blame.find(rule);
  if (asking != s.asking_blame.end() && at - asking->second < asked_long_ago) return;
  s.asking_blame[rule] = at;
  act(ask_blame{rule, number, condition, s.track.now->live.slot, to->slot});
}

void deciding::tell(std::string kind, severity how, std::string says) {
  event e{std::move(kind), how, std::move(says), {}};
  act(say{std::move(e)});
}

void deciding::after_new_epoch(bool forgive) {
  // A baseline is no cutover: what the rules have seen of what is live goes on.
  if (s.track.now->is != epoch::kind::baseline) actions.insert(actions.begin(), start_rules_anew{s.track.now->began.at, forgive});
  s.said.clear();
  s.last.clear();
  s.questions.clear();
  s.blames.clear();
  s.both_failed.reset();
  s.asking_blame.clear();
  s.in_doubt = {};
  s.left_by_flip.reset();
  s.stable.reset();
  s.asking_stable.reset();
  s.ready.reset();
  if (s.order && s.order->is == cause::kind::approved) refuse_order("the release is no longer the one that was asked about");
  s.not_again_before.reset();
  make_room();
  keep_fact(fact::epoch);
}

/// For the way back that there is; an attempt uses the room up.
void deciding::make_room() {
  const auto& back = s.track.now->back;
  act(stage_for{back ? std::optional(back->to.slot) : std::nullopt});
}

/// Also while it is not seen yet that what was live before the restart still is.
std::uint64_t deciding::epoch_number() const {
  if (s.track.now) return s.track.now->number;
  return s.track.recalled ? s.track.recalled->then.number : 0;
}

void deciding::refuse_order(const std::string& why) {
  if (s.order && s.order->verb != 0) act(answer_verb{s.order->verb, false, why});
  s.order.reset();
}

void deciding::keep_fact(fact which) {
  act(keep{which, ++s.keeps});
  if (which == fact::epoch) s.seen_kept = now.at.at;
}

/// What is said of the window follows from time, the epoch and the rules alone.
void deciding::watch_window() {
  const tracking& t = s.track;
  bool open = false;
  if (t.now && t.now->is != epoch::kind::baseline && t.now->is != epoch::kind::rolled_back && !t.now->window_ended) {
    open = now.at.at <= t.now->began.at + by.window ||
           std::ranges::any_of(now.rules, [&](const rule_now& r) { return !r.breached && in_window(s, by, now, r); });
  }
  if (std::exchange(s.window_was_open, open) == open) return;
  event e{"deployment.window",
          severity::info,
          open ? fmt::format("the rollback window is open for {}",
                             format_duration(std::max<duration>(t.now->began.at + by.window - now.at.at, {})))
               : std::string("the rollback window is closed: rules alert only"),
          {}};
  e.with("open", open);
  act(say{std::move(e)});
  act(tell_window{open});
}

void deciding::say_stance(const std::string& rule, const weighed& w) {
  s.last[rule] = {static_cast<std::uint8_t>(w.is), w.says};
  // To be asking is another thing than what was answered.
  if (!s.said.insert(fmt::format("{}/{}:{}", rule, name_of(w.by), static_cast<unsigned>(w.is))).second) return;
  const bool sick = w.by == guard::stable || w.by == guard::ready;
  const severity how = w.is == stance::waits ? severity::info : sick ? severity::critical : severity::warning;
  event e{std::string(kind_of(w.is)), how, fmt::format("{}: {}", rule, w.says), {}};
  e.with("rule", rule).with("guard", std::string(name_of(w.by)));
  act(say{std::move(e)});
}

/// Weighs everything that wants to act: a person's order first, then the rules that are breached, in their order.
void deciding::consider() {
  drop_what_is_over();
  if (s.track.is == agreement::agreed && s.track.now && now.names.named() == s.track.now->live.slot) s.left_by_flip.reset();
  watch_window();
  prepare_for_pending();
  if (s.under_way) {
    weigh_rules();
    return;
  }
  if (s.order) {
    const weighed w = weigh(s, by, now, *s.order);
    auto to = leads_to(*s.order, s, by, now);
    const rule_now* rule = rule_named(now, s.order->rule);
    if (w.is == stance::act && to) {
      if (s.order->force) to->release = s.track.slots[to->slot].release;  // whatever was recorded: it is what is there
      begin(*std::exchange(s.order, std::nullopt), *to, w.says);
      return;
    }
    const duration lives = s.order->flips() ? flip_lives : order_lives;
    if (w.is == stance::waits && now.at.at - s.order->since.at > lives)
      return refuse_order(fmt::format("{}, which has not ended within {}", w.says, format_duration(lives)));
    if (w.is != stance::waits) return refuse_order(w.says);
    ask_for(w.missing, s.order->rule, rule != nullptr ? rule->true_since : now.at.at, to);
  }
  weigh_rules();
}

/// The rules that are breached, in their order; while a person's rollback waits they say how they stand, and begin nothing.
void deciding::weigh_rules() {
  // What its own attempt came to was said when that ended.
  const auto is_its_own = [&](const std::string& rule) {
    const auto last = s.last.find(rule);
    return (s.in_doubt.failed && s.in_doubt.failed->rule == rule) ||
           (last != s.last.end() && last->second.is == static_cast<std::uint8_t>(stance::act));
  };
  for (const rule_now& rule : now.rules) {
    if (!rule.breached) continue;
    cause why;
    why.rule = rule.name;
    why.since = now.at;
    if (s.under_way) {
      if (s.under_way->why.rule == rule.name) continue;
      say_stance(rule.name, {stance::waits,
                             guard::none,
                             fmt::format("the {} to {} is under way", name_of(s.under_way->why), text_of(s.under_way->to, by)),
                             {}});
      continue;
    }
    weighed w = weigh(s, by, now, why);
    if (w.is == stance::act && s.order && !s.order->flips())  // users wait for no flip
      w = {stance::waits, guard::none, "what a person has asked for comes first", {}};
    else if (w.is == stance::act && is_too_early() && is_its_own(rule.name))
      continue;
    else if (w.is == stance::act && is_too_early())
      w = {stance::waits, guard::attempts, what_it_waits_for(), {}};
    if (w.is == stance::act) {
      s.last[rule.name] = {static_cast<std::uint8_t>(w.is), {}};
      why.reason = rule.why;
      refuse_order(fmt::format("{} is breached, and rolls back to {}: nothing was flipped", rule.name, text_of(s.track.now->back->to, by)));
      begin(why, s.track.now->back->to, w.says);
      return;
    }
    if (w.by == guard::live && s.started && now.at.at - *s.started < first_looks_within) continue;
    say_stance(rule.name, w);
    const auto to = s.track.now && s.track.now->back ? std::optional(s.track.now->back->to) : std::nullopt;
    if (!s.order || s.order->flips()) ask_for(w.missing, rule.name, rule.true_since, to);
    if (w.is == stance::asks) {
      approval& q = s.questions[rule.name];
      if (q.rule.empty()) q = {rule.name, now.at, {}};
      q.says = w.says;
    }
  }
}

/// What makes decisions more careful is on disk before long: whoever comes after a restart would not see it.
void deciding::remember_doubts() {
  if (!s.track.now) return;
  doubts& d = s.in_doubt;
  bool news = false;
  for (const std::string& rule : now.not_this_release) news |= d.not_this_release.insert(rule).second;
  // A rule that can't be judged is in neither list: since when it was true is not known once it can be.
  for (auto& [name, t] : d.troubled) {
    if (rule_named(now, name) == nullptr) news |= std::exchange(t.since, std::nullopt).has_value();
  }
  for (const rule_now& rule : now.rules) {
    if (rule.true_since < s.track.now->began.at) continue;
    if (rule.not_this_release) news |= d.not_this_release.insert(rule.name).second;
    if (rule.withheld == answer::yes) news |= d.withheld.insert(rule.name).second;
    if (rule.withheld == answer::no) news |= d.withheld.erase(rule.name) > 0;
    trouble& t = d.troubled[rule.name];
    news |= t.since != rule.true_since;
    t = {now.at, rule.true_since, rule.bridged, rule.meaning};
  }
  if (news) keep_fact(fact::epoch);
}

/// While a rule is pending, what a breach will need is looked at already.
void deciding::prepare_for_pending() {
  if (!s.track.now || !s.track.now->back || s.under_way) return;
  const bool pending = std::ranges::any_of(now.rules, [&](const rule_now& r) { return !r.breached && in_window(s, by, now, r); });
  if (!pending) return;
  needs missing;
  missing.ready = !s.ready || now.at.at - s.ready->looked > readiness_counts_for;
  ask_for(missing, {}, {}, s.track.now->back->to);
}

void deciding::drop_what_is_over() {
  const auto breached = [&](const std::string& name) {
    const rule_now* rule = rule_named(now, name);
    if (rule == nullptr || !rule->breached) return false;
    const auto known = s.breaches.find(name);
    return known == s.breaches.end() || known->second == rule->true_since;
  };
  std::erase_if(s.said, [&](const std::string& key) { return !breached(key.substr(0, key.rfind('/'))); });
  std::erase_if(s.last, [&](const auto& entry) { return !breached(entry.first); });
  std::erase_if(s.blames, [&](const auto& entry) { return !breached(entry.first); });
  if (const auto& failed = s.in_doubt.failed; failed && failed->condition) {  // what is true anew has not been tried yet
    const rule_now* rule = rule_named(now, failed->rule);
    if (rule == nullptr || !rule->breached || rule->true_since != *failed->condition) s.in_doubt.failed.reset();
  }
  s.breaches.clear();
  for (const rule_now& rule : now.rules) {
    if (rule.breached) s.breaches[rule.name] = rule.true_since;
  }
  std::erase_if(s.questions, [&](const auto& entry) {
    const auto& [name, asked] = entry;
    if (!breached(name)) return true;
    if (now.at.at - asked.asked.at <= question_lives) return false;
    std::erase_if(s.said, [&](const std::string& key) { return key.starts_with(name + "/"); });  // it is asked anew, and that is said
    return true;
  });
  std::erase_if(s.failures, [&](const failure& f) { return now.at.at - f.at.at > remembered_for; });
  if (s.held && now.at.at >= s.held->until.at) {
    s.held.reset();
    keep_fact(fact::hold);
    tell("rollback.freed", severity::info, "the hold is over: automatic rollbacks act again");
  }
}

stepped step(state before, const terms& by, const present& now, const happening& what) {
  deciding d{std::move(before), by, now};
  d.s.track.slots.resize(by.slots.size());
  std::visit([&](const auto& e) { d.on(e); }, what);
  if (!std::holds_alternative<prepared>(what)) d.say_lacks();  // what refuses a rollback there is said as what stops it
  if (!d.stale_rules) {
    d.remember_doubts();
    d.consider();
    d.ask_leave();
  } else {
    d.watch_window();
    d.ask_leave();
  }
  return {std::move(d.s), std::move(d.actions)};
}

std::optional<instant> mark_of(const state& s, const std::string& rule, instant condition) {
  std::optional<instant> mark;  // nothing is earlier than any time
  const auto counts = [&](const std::optional<instant>& at) {
    if (at && *at >= condition - sick_alike) mark = std::max(mark, at);
  };
  counts(s.both_failed);
  if (s.in_doubt.mark) counts(s.in_doubt.mark->at);
  if (s.track.now && s.track.now->back) counts(s.track.slots[s.track.now->back->to.slot].sick);
  const auto found = s.blames.find(rule);
  if (found != s.blames.end() && found->second.condition == condition) counts(found->second.first_both_well);
  return mark;
}

std::string_view name_of(fact f) {
  constexpr std::array<std::string_view, 4> names{"epoch", "hold", "latch", "failures"};
  return names.at(static_cast<std::size_t>(f));
}

}  // namespace flipback::deployment
