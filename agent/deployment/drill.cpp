#include "agent/deployment/drill.hpp"

#include "agent/deployment/guards.hpp"
#include "agent/deployment/standing.hpp"
#include "agent/deployment/tracker.hpp"
#include "agent/deployment/unnamed.hpp"
#include "agent/deployment/witness.hpp"
#include "agent/store/remedy.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::deployment {

namespace {

constexpr duration witnesses_within = std::chrono::seconds(10);  ///< as a rollback's proof
constexpr std::string_view no_witness =
    "so that a rollback would end unproven: give it a witness ([deployment] front_door.identity, or $upstream_addr in nginx's log)";

rehearsed where_to(const state& s, const terms& by, const present& now, const std::optional<placed>& to) {
  const std::string none = no_way_back(s.track, by);
  if (!to) return {"way back", answer::no, none.empty() ? nowhere_to_go(now, by) : none, {}};
  if (none.empty() && s.track.now && s.track.now->back) return {"way back", answer::yes, text_of(*to, by), {}};
  if (by.stable == to->slot) return {"way back", answer::yes, fmt::format("{}, as [deployment] stable says", text_of(*to, by)), {}};
  return {"way back",
          was_seen_live(s.track, to->slot) ? answer::yes : answer::cant_tell,
          fmt::format("a person's rollback leads to {}, a rule's nowhere: {}", text_of(*to, by), none),
          {}};
}

/// What a rule that is breached now would come to, before anything is asked.
std::string of_a_rule(const state& s, const terms& by, const present& now) {
  if (by.mode == config::mode::observe) return "tells only: mode is observe";
  if (const std::string none = no_way_back(s.track, by); !none.empty()) return "tells only: " + none;
  if (!s.window_was_open) return "tells only: the rollback window is closed";
  if (s.latched) return fmt::format("is blocked: the latch is shut ({})", text_of(s.latched->what, by));
  if (is_held(s, now.at)) return "is blocked: " + text_of(*s.held);
  if (by.mode == config::mode::ask) return "asks: mode is ask";
  if (const std::string doubt = doubt_of_way_back(s.track, by); !doubt.empty()) return "asks: " + doubt;
  if (!s.unreadable.empty()) return fmt::format("asks: what was remembered of {} could not be read at the start", *s.unreadable.begin());
  return "is rolled back by itself, where both slots show that the release is to blame";
}

rehearsed on_record(const state& s) {
  if (s.unstored.empty()) return {"record", answer::yes, "what must outlast a restart is on disk", {}};
  const auto& [what, why] = *s.unstored.begin();
  return {"record", answer::no, fmt::format("{}: {}; {}", what, why, make_the_state_writable), {}};
}

void add_up(drilled& of, const terms& by) {
  const auto first = [&](answer a) { return std::ranges::find(of.steps, a, &rehearsed::is); };
  const std::string to = of.to ? fmt::format("a rollback to {}", text_of(*of.to, by)) : std::string("a rollback");
  if (const auto no = first(answer::no); no != of.steps.end()) {
    of.is = answer::no;
    of.says = fmt::format("{} would fail by its {}: {}", to, no->what, no->says);
  } else if (const auto unknown = first(answer::cant_tell); unknown != of.steps.end()) {
    of.is = answer::cant_tell;
    of.says = fmt::format("whether {} would succeed can't be told by its {}: {}", to, unknown->what, unknown->says);
  } else {
    of.is = answer::yes;
    of.says = fmt::format("{} would be carried out and proven; nothing was changed", to);
  }
}

}  // namespace

drill::drill(asio::io_context& loop, world& seen, rule_book& rules, const terms& by, const state& s)
    : pause_(loop), seen_(seen), rules_(rules), by_(by), s_(s) {}

asio::awaitable<drilled> drill::run(present now) {
  drilled made;
  made.to = ordered_to(s_, by_, now);
  made.rule = of_a_rule(s_, by_, now);
  made.steps.push_back(where_to(s_, by_, now, made.to));
  made.steps.push_back(on_record(s_));
  if (!ended_) made.steps.push_back(co_await ready());
  if (!ended_ && made.to) made.steps.push_back(co_await is_well(*made.to));
  if (!ended_) made.steps.push_back(co_await witnesses());
  add_up(made, by_);
  if (ended_) {
    made.is = answer::cant_tell;
    made.says = "the agent is being stopped, or reads its configuration anew: type it again";
  }
  co_return made;
}

void drill::end() {
  ended_ = true;
  pause_.cancel();
}

asio::awaitable<rehearsed> drill::ready() {
  const instant began = seen_.now().now.at;
  const known_readiness found = co_await seen_.look_ready();
  const duration took = seen_.now().now.at - began;
  const auto blocking = std::ranges::find(found.lacks, true, &lack::blocking);
  if (blocking != found.lacks.end()) co_return rehearsed{"ready", answer::no, text_of(*blocking), took};
  std::string says = "nothing stands in nginx's way";
  for (const lack& l : found.lacks) says += "; but " + text_of(l);
  co_return rehearsed{"ready", answer::yes, std::move(says), took};
}

asio::awaitable<rehearsed> drill::is_well(const placed& to) {
  const std::string& name = by_.slots[to.slot];
  const instant began = seen_.now().now.at;
  const auto found = [&](answer is, std::string says) { return rehearsed{"slot", is, std::move(says), seen_.now().now.at - began}; };
  if (const std::string unmet = co_await rules_.unmet_check(to.slot); !unmet.empty())
    co_return found(answer::no, fmt::format("{} does not pass its check {}", name, unmet));
  const unsigned times = std::max(by_.confirm, 1U);
  for (unsigned i = 0; i < times && !ended_; ++i) {
    if (i > 0) {
      pause_.expires_after(by_.confirm_every);
      co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    const slot_reply got = co_await seen_.ask_slot(to.slot);
    if (got.not_asked) co_return found(answer::cant_tell, fmt::format("{} can't be asked: {}", name, got.says));
    if (!got.well) co_return found(answer::no, fmt::format("{} is sick: {}", name, got.says));
    const bool told = got.self.is == reply::kind::identified && !got.self.release.empty() && !to.release.empty();
    if (told && got.self.release != to.release)
      co_return found(answer::no, fmt::format("{} no longer has {}, but {}", name, to.release, got.self.release));
  }
  co_return found(answer::yes, fmt::format("{} answered well, {} of {} times", name, times, times));
}

void drill::see(const sighting& seen) {
  if (!looking_) return;
  const auto expected = by_.effect_is_intent ? s_.track.users : seen.names.named();
  const witness found = witness_of(seen, s_.track.slots, by_);
  elsewhere_ = false;
  if (found.both) {
    in_a_row_ = 0;
    otherwise_ = "both slots answered users";
  } else if (found.slot && found.fresh && expected && *found.slot != *expected) {
    in_a_row_ = 0;
    elsewhere_ = true;
    otherwise_ = fmt::format("the switch names {}, and {} answered", by_.slots[*expected], by_.slots[*found.slot]);
  } else if (found.slot && found.fresh && expected) {
    ++in_a_row_;
  } else if (!expected) {
    otherwise_ = "the switch names no slot";
  } else {
    otherwise_ = seen.front_door.is == reply::kind::silent
                     ? fmt::format("the front door did not answer ({})", seen.front_door.says)
                     : fmt::format("the front door's answer ({}) does not tell which slot gave it", seen.front_door.status);
  }
  if (in_a_row_ >= witnesses_of_a_cutover) pause_.cancel();
}

asio::awaitable<rehearsed> drill::witnesses() {
  const instant began = seen_.now().now.at;
  looking_ = true;
  pause_.expires_after(witnesses_within);
  co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
  looking_ = false;
  rehearsed found{"proof", answer::yes, {}, seen_.now().now.at - began};
  if (in_a_row_ >= witnesses_of_a_cutover) {
    found.says = fmt::format("{} fresh answers in a row came from the slot that the switch names", in_a_row_);
    co_return found;
  }
  found.is = elsewhere_ ? answer::no : answer::cant_tell;
  found.says = fmt::format("{} of {} answers in a row; {}{}", in_a_row_, witnesses_of_a_cutover,
                           otherwise_.empty() ? std::string("there was no look") : otherwise_,
                           elsewhere_ ? std::string() : fmt::format(", {}", no_witness));
  co_return found;
}

}  // namespace flipback::deployment
