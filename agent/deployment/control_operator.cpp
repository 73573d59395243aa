// The part of control that an operator talks to: how it stands, a rollback in spite of all, a hold, an open latch.

#include "agent/deployment/control.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <utility>

namespace flipback::deployment {

namespace {

using said = std::expected<std::string, std::string>;

event told_as(std::string kind, const std::string& by, const std::string& says) {
  event e{std::move(kind), severity::warning, says, {}};
  return std::move(e.with("by", by));
}

std::string text_of(const hold& h) {
  return fmt::format("held by {} until {:%Y-%m-%d %H:%M:%S} UTC: {}", h.by,
                     fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(h.until))), h.reason);
}

}  // namespace

asio::awaitable<std::expected<std::string, std::string>> control::roll_back_for(std::string by, std::string reason, bool force) {
  if (order_ || rolling_) co_return std::unexpected("a rollback is under way");
  if (stopping_) co_return std::unexpected("the agent is ending");
  const auto given = std::make_shared<order>(loop_);
  given->by = std::move(by);
  given->reason = std::move(reason);
  given->force = force;
  order_ = given;
  pause_.cancel();  // look and act at once
  co_await given->answered.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return given->answer;
}

asio::awaitable<void> control::carry_out(order& given) {
  given.answer = std::unexpected("it failed: the agent's log says why");
  try {
    const auto to = co_await way_back_for(given);
    breach b;
    b.rule = "security";
    b.true_since = std::chrono::steady_clock::now();
    b.why = given.reason;
    b.by = given.by;
    if (to)
      given.answer = co_await roll_back(b, *to);
    else
      given.answer = std::unexpected(to.error());
  } catch (...) {
    given.answered.cancel();
    throw;
  }
  given.answered.cancel();
}

/// Where an operator's rollback leads, or why it is refused. By force it leads to the other of two slots, whatever is known of it.
asio::awaitable<std::expected<placed, std::string>> control::way_back_for(const order& given) {
  constexpr std::string_view by_force = "--force does it all the same";
  const auto& live = tracker_.live();
  if (!live) co_return std::unexpected("it is not known which slot is live");
  auto to = tracker_.stable();
  const bool has_other = names_.size() == 2;
  if (!to && (!given.force || !has_other)) co_return std::unexpected(tracker_.no_way_back());
  if (!to) to = placed{1 - live->slot, {}};
  const slot_answer direct = co_await ask_slot(through_, configured_.slots[to->slot], terms_.front_door, answer_limit);
  const bool told = direct.identity.is == identity_answer::kind::identified;
  if (!given.force && !direct.healthy)
    co_return std::unexpected(fmt::format("{} is sick ({}): rolling back would not help; {}", name(to->slot), direct.says, by_force));
  if (!given.force && told && direct.identity.release != to->release)
    co_return std::unexpected(
        fmt::format("{} no longer has {}, but {}; {}", name(to->slot), to->release, direct.identity.release, by_force));
  if (told) to->release = direct.identity.release;
  co_return *to;
}

std::string control::held() const {
  return hold_ && hold_->until > std::chrono::system_clock::now() ? text_of(*hold_) : std::string();
}

/// A hold that is there already goes on: the later end counts, and its owner stays.
void control::hold_for(const std::string& by, const std::string& reason, duration length) {
  const wall_time until = std::chrono::system_clock::now() + std::chrono::duration_cast<wall_time::duration>(length);
  if (!held().empty() && hold_->until >= until) return;
  hold_ = hold{by, reason, until};
  said_.clear();
  tell_(told_as("rollback.held", by, fmt::format("no automatic rollback acts: {}", text_of(*hold_))));
  keeping_.spawn(keep("hold", to_text(*hold_)));
}

said control::unhold(const std::string& by) {
  if (held().empty()) return std::unexpected("nothing is held");
  hold_.reset();
  tell_(told_as("rollback.freed", by, fmt::format("{} has ended the hold: automatic rollbacks act again", by)));
  keeping_.spawn(let_go("hold"));
  pause_.cancel();
  return "automatic rollbacks act again";
}

said control::unlatch(const std::string& by, bool in_spite_of_breach) {
  if (!latch_) return std::unexpected("the latch is open");
  if (!breaches_.empty() && !in_spite_of_breach)
    return std::unexpected(
        fmt::format("{} is breached: what is live may be rolled back at once; --yes does it all the same", breaches_.begin()->first));
  latch_.reset();
  said_.clear();
  tell_(told_as("rollback.unlatched", by, fmt::format("{} has opened the latch", by)));
  keeping_.spawn(let_go("latch"));
  pause_.cancel();
  return "the latch is open";
}

standing control::stands() const {
  standing s;
  s.mode = terms_.mode;
  s.window_open = window_open_;
  s.latched = latch_.has_value();
  s.held = held();
  s.front_door = last_.front_door.says;
  s.rolling = rolling_;
  if (const auto& live = tracker_.live()) {
    s.live = name(live->slot);
    s.release = live->release;
  }
  if (const auto back = tracker_.stable()) {
    s.stable = name(back->slot);
    s.stable_release = back->release;
  }
  return s;
}

}  // namespace flipback::deployment
