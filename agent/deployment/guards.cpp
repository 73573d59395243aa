#include "agent/deployment/guards.hpp"

#include "agent/deployment/decider.hpp"
#include "agent/deployment/unnamed.hpp"
#include "agent/deployment/world_guards.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::deployment {

namespace {

/// What stands in the way whoever wants it, and can be said at once.
std::optional<weighed> obstacle(const state& s, const terms& by, const present& now, const rule_now& rule, bool approved) {
  const tracking& t = s.track;
  if (!t.now)
    return blocked(guard::live,
                   "it is not known which slot is live, so nothing is rolled back; `flipback rollback --reason TEXT` does it all the same");
  if (const std::string none = no_way_back(t, by); !none.empty()) {
    // A record that can't be read is not the same as that there was no cutover.
    if (t.now->is == epoch::kind::baseline && s.unreadable.contains(std::string(name_of(fact::epoch))))
      return blocked(
          guard::memory,
          "what was remembered of the epoch could not be read at the start, so that it is not known whether there was a cutover, and "
          "which slot to go back to: `flipback window open --stable SLOT` says which, and rules ask from then on; "
          "`flipback rollback --force --reason TEXT` goes to the other slot now");
    return tells(guard::way_back, none);
  }
  if (rule.true_since < t.now->began.at)
    return tells(guard::condition, fmt::format("its condition began before the cutover: it speaks of another release{}", all_the_same));
  if (rule.holds != answer::yes) return blocked(guard::condition, fmt::format("its condition is not true at this moment{}", all_the_same));
  if (s.latched && s.latched->epoch == t.now->number)
    return tells(
        guard::latch,
        fmt::format(
            "the latch is shut ({}, {}); `flipback unlatch --yes` lets it be tried again at once, `flipback rollback --reason TEXT` "
            "does it now",
            text_of(s.latched->what, by), s.latched->became.empty() ? "a rollback was begun" : s.latched->became));
  if (!approved && !in_window(s, by, now, rule)) return tells(guard::window, fmt::format("the rollback window is over{}", all_the_same));
  if (!approved && is_held(s, now.at)) return blocked(guard::hold, fmt::format("{}; `flipback unhold` frees it", text_of(*s.held)));
  if (now.names.is == intent::kind::unreadable && !by.effect_is_intent)
    return blocked(
        guard::intent,
        fmt::format("the switch can't be read ({}), so it can't be put back; `flipback status` says what is lacking", now.names.says));
  if (!rule.unfit.empty()) return blocked(guard::evidence, fmt::format("{}{}", rule.unfit, all_the_same));
  if (rule.withheld == answer::yes && rule.no_worse.empty())
    return blocked(guard::unless_rule, fmt::format("withheld while the rule's unless is true{}", all_the_same));
  if (rule.withheld == answer::cant_tell && s.in_doubt.withheld.contains(rule.name))
    return blocked(guard::unless_rule, fmt::format("withheld: the rule's unless was true, and is not known now{}", all_the_same));
  if (!t.live_was_well)
    return blocked(guard::boot, fmt::format("{} has not been well since this machine was started: what it fails may be the start's{}",
                                            by.slots[t.now->live.slot], all_the_same));
  return std::nullopt;
}

/// What a person must decide, in their words; empty: nothing.
std::pair<guard, std::string> for_a_person(const state& s, const terms& by, const present& now, const rule_now& rule) {
  const tracking& t = s.track;
  if (now.names.is == intent::kind::neither)
    return {guard::intent, fmt::format("the switch names no slot ({}), so that somebody may be changing it{}", now.names.says,
                                       t.is == agreement::moved && t.users ? fmt::format(", and users reach {}", by.slots[*t.users]) : "")};
  const auto named = now.names.named();
  if (named && t.now->live.slot != *named && t.now->back->to.slot != *named)
    return {guard::intent, fmt::format("the switch names {}, which is neither the live slot nor the one to go back to", by.slots[*named])};
  if (s.left_by_flip)
    return {guard::elsewhere, fmt::format("a flip that left {} is not proven: `flipback flip {}` puts that live again",
                                          by.slots[s.left_by_flip->slot], by.slots[s.left_by_flip->slot])};
  if (t.is == agreement::failover || t.is == agreement::mixed)
    return {guard::elsewhere,
            fmt::format("users reach {}", t.is == agreement::mixed ? "both slots by turns" : "another slot than the switch names")};
  if (t.is == agreement::moved) return {guard::elsewhere, "users were seen to reach another slot while the switch named none"};
  if (!s.unreadable.empty())
    return {guard::memory, fmt::format("what was remembered of {} could not be read at the start", *s.unreadable.begin())};
  if (const std::string doubt = doubt_of_way_back(t, by); !doubt.empty()) return {guard::doubt, doubt};
  if (!rule.doubtful.empty()) return {guard::evidence, rule.doubtful};
  if (!rule.no_worse.empty()) return {guard::no_worse, rule.no_worse};
  const bool in_doubt = rule.not_this_release || s.in_doubt.not_this_release.contains(rule.name);
  if (in_doubt && !rule.held_against_before)
    return {guard::not_this_release, "the condition was true before the cutover already: this release may not be to blame"};
  if (was_rolled_back_before(s, by, now, t.now->live))
    return {guard::failed_before, "this release was rolled back before, and somebody has brought it back"};
  // What asking both slots could not tell, others may put in doubt.
  if (blame_of(s, rule)->newest.is == blame::kind::cant_tell) {
    if (!rule.shared_is_ill.empty()) return {guard::shared, rule.shared_is_ill};
    if (!rule.one_client.empty()) return {guard::client, rule.one_client};
    if (rule.only_hang_ups) return {guard::hang_ups, "without the requests whose clients hung up it would be no breach"};
  }
  if (std::min(by.mode, rule.mode.value_or(by.mode)) == config::mode::ask) return {guard::mode, "mode is ask"};
  return {guard::none, {}};
}

}  // namespace

std::optional<placed> ordered_to(const state& s, const terms& by, const present& now) {
  const tracking& t = s.track;
  const auto at = [&](slot_number slot) { return placed{slot, t.slots.size() > slot ? t.slots[slot].release : std::string()}; };
  const auto other = [&](slot_number than) { return by.slots.size() == 2 ? std::optional(at(1 - than)) : std::nullopt; };
  const auto named = now.names.named();
  const epoch* e = t.now ? &*t.now : nullptr;
  if (e == nullptr && t.recalled && named.value_or(t.recalled->then.live.slot) == t.recalled->then.live.slot) e = &t.recalled->then;
  // What a flip was to put live, and nothing shows to be, is not what to go back to.
  if (s.left_by_flip) return s.left_by_flip;
  if (e != nullptr) {
    if (e->back && e->back->to.slot != e->live.slot) return e->back->to;
    if (e->is == epoch::kind::rolled_back) return e->live;  // never on to the release that was rolled back
  }
  if (by.stable) return at(*by.stable);
  // What users are not seen to reach is nothing to go back to; nor is where a person moved them without the switch's saying so.
  const auto left_for = named ? named : t.unnamed ? t.users : std::nullopt;
  if (e != nullptr && left_for && *left_for != e->live.slot) return e->live;
  if (e != nullptr) return other(e->live.slot);
  return left_for ? other(*left_for) : std::nullopt;
}

std::optional<placed> leads_to(const cause& of, const state& s, const terms& by, const present& now) {
  if (s.under_way) return s.under_way->to;
  if (of.is == cause::kind::ordered) return ordered_to(s, by, now);
  // Whatever release is there is the one that a flip leads to; since the order it has been asked.
  if (of.flips()) return placed{of.to, s.stable && s.stable->slot == of.to ? s.stable->release : s.track.slots[of.to].release};
  return s.track.now && s.track.now->back ? std::optional(s.track.now->back->to) : std::nullopt;
}

bool was_seen_live(const tracking& t, slot_number slot) {
  const epoch* e = t.now ? &*t.now : t.recalled ? &t.recalled->then : nullptr;
  return e != nullptr && (e->live.slot == slot || (e->before && e->before->slot == slot) || (e->back && e->back->to.slot == slot));
}

std::string nowhere_to_go(const present& now, const terms& by) {
  return fmt::format("it is not known which slot to go back to: {}, and no cutover was seen", why_unnamed(now.names, by));
}

// Kinds of an event, each with its row in packaging/docs/rollback.md.
std::string_view kind_of(stance s) {
  constexpr std::array<std::string_view, 5> kinds{"", "rollback.waiting", "rollback.blocked", "rollback.asked", "rollback.withheld"};
  return kinds.at(static_cast<std::size_t>(s));
}

std::string_view name_of(stance s) {
  const std::string_view kind = kind_of(s);
  return kind.substr(std::min(kind.size(), std::string_view("rollback.").size()));
}

std::string_view name_of(const cause& c) {
  return c.flips() ? "flip" : "rollback";
}

std::string_view name_of(guard g) {
  constexpr std::array<std::string_view, 27> names{
      "none",     "live",          "condition", "intent",   "elsewhere", "way back", "window",       "latch", "hold",  "ready",
      "evidence", "unless",        "boot",      "healthy",  "confirm",   "blame",    "short window", "mode",  "doubt", "not this release",
      "no worse", "failed before", "client",    "hang-ups", "shared",    "memory",   "attempts"};
  return names.at(static_cast<std::size_t>(g));
}

std::string text_of(const hold& h) {
  return fmt::format("held by {} until {:%Y-%m-%d %H:%M:%S} UTC: {}", h.by, fmt::gmtime(std::chrono::system_clock::to_time_t(h.until.wall)),
                     h.reason);
}

std::string text_of_unless(const rule_now& rule) {
  return rule.withheld == answer::cant_tell ? "; whether its unless is true can't be told" : "";
}

bool is_held(const state& s, const moment& now) {
  return s.held && now.at < s.held->until.at;
}

bool is_of(const failure& f, const placed& live) {
  return f.what.release == live.release;
}

bool was_rolled_back_before(const state& s, const terms& by, const present& now, const placed& what) {
  if (!tells_releases(what, by)) return false;
  return std::ranges::any_of(s.failures, [&](const failure& f) { return is_of(f, what) && now.at.at - f.at.at < remembered_for; });
}

bool in_window(const state& s, const terms& by, const present& now, const rule_now& rule) {
  const epoch& e = *s.track.now;
  const bool has_window = e.is != epoch::kind::baseline && e.is != epoch::kind::rolled_back && !e.window_ended;
  const instant end = e.began.at + by.window;
  if (!has_window || rule.true_since < e.began.at || rule.true_since > end) return false;
  if (!rule.breached) return now.at.at <= end + rule.lasts;
  const instant until = std::max(end, rule.true_since + rule.lasts);  // it was kept open for a rule that was pending
  if (now.at.at <= until) return true;
  // Past the window only what was being asked at its end is carried through.
  const auto last = s.last.find(rule.name);
  const bool carried = last == s.last.end() || last->second.is == static_cast<std::uint8_t>(stance::waits) ||
                       last->second.is == static_cast<std::uint8_t>(stance::act);
  return carried && now.at.at <= until + carried_past_the_window;
}

weighed weigh(const state& s, const terms& by, const present& now, const cause& of) {
  // Two agents that act on one nginx would undo each other's work: this holds for a person's order, too, and for one by force.
  if (!now.another_agent.empty() && of.is != cause::kind::rule) return tells(guard::ready, now.another_agent);
  if (of.is_an_order()) {
    const auto to = leads_to(of, s, by, now);
    if (!to) return tells(guard::way_back, nowhere_to_go(now, by));
    return weigh_order(s, by, now, of, *to);
  }
  const rule_now* rule = rule_named(now, of.rule);
  if (rule == nullptr || !rule->breached) return tells(guard::condition, fmt::format("{} is no longer breached", of.rule));
  const bool approved = of.is == cause::kind::approved;
  if (auto w = obstacle(s, by, now, *rule, approved)) return *w;
  const placed to = s.track.now->back->to;
  if (auto w = ready_enough(s, now)) return *w;
  if (auto w = stable_slot(s, by, now, to, false)) return *w;
  if (!approved) {
    if (auto w = blamed(s, now, *rule, false)) return *w;
    const std::string whom = blame_of(s, *rule)->newest.says + text_of_unless(*rule);
    const auto [who, why] = for_a_person(s, by, now, *rule);
    if (std::min(by.mode, rule->mode.value_or(by.mode)) == config::mode::observe) {
      const std::string asked = who == guard::none ? "" : fmt::format("a person would be asked ({}) whether ", why);
      return tells(guard::mode, fmt::format("mode is observe: nothing is changed; in mode act {}it {} rolled back to {}; {}{}", asked,
                                            who == guard::none ? "would be" : "is to be", text_of(to, by), whom, all_the_same));
    }
    if (who != guard::none)
      return {stance::asks, who, fmt::format("{}: `flipback approve {}` rolls back to {}; {}", why, of.rule, text_of(to, by), whom), {}};
  }
  if (auto w = blamed(s, now, *rule, true)) return *w;
  if (auto w = stable_slot(s, by, now, to, true)) return *w;
  weighed yes;
  if (const blame_standing* known = blame_of(s, *rule)) yes.says = known->newest.says;
  return yes;
}

}  // namespace flipback::deployment
