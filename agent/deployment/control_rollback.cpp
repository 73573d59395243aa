// The part of control that changes what users reach: a rollback from its decision to its end, and one that a crash cut off.

#include "agent/deployment/control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::deployment {

asio::awaitable<void> control::keep(std::string fact, std::string value) {
  const auto kept = co_await store_.put(std::move(fact), std::move(value));
  if (kept || std::exchange(unrecorded_said_, true)) co_return;
  tell_({"store.failed", severity::critical, fmt::format("what happens now is unrecorded: {}", kept.error()), {}});
}

asio::awaitable<blame> control::ask_blame(const breach& b, const placed& to) {
  const auto& newest = tracker_.newest_cutover();
  error_shares errors;
  if (b.errors && newest) errors = b.errors(newest->at);
  const std::string host = terms_.front_door.host;
  co_return co_await whom_to_blame(loop_, through_, configured_.slots[to.slot], host, std::move(errors), b.shared ? b.shared() : ailing{},
                                   answer_limit);
}

asio::awaitable<std::expected<std::string, std::string>> control::roll_back(const breach& b, placed to, const std::string& blamed) {
  rolling_ = true;
  const placed failed = *tracker_.live();
  event decided{"rollback.decided",
                severity::critical,
                fmt::format("rolling back to {} with {}: {} ({})", name(to.slot), to.release, b.by.empty() ? b.rule : b.by, b.why),
                {}};
  decided.with("rule", b.rule).with("why", b.why).with("to", name(to.slot)).with("from", name(failed.slot)).with("release", failed.release);
  if (!b.by.empty()) decided.with("by", b.by);
  if (!blamed.empty()) decided.with("blame", blamed);
  tell_(std::move(decided));
  const wall_time wall = std::chrono::system_clock::now();
  latch_ = latch{name(failed.slot), failed.release, b.rule, wall};
  failed_ = latch_;
  const attempt begun{name(to.slot), to.release, name(failed.slot), failed.release, b.rule, wall, b.why, blamed};
  co_await keep("attempt", to_text(begun));
  co_await keep("latch", to_text(*latch_));

  rollback::plan p;
  p.stable = &configured_.slots[to.slot];
  p.failed = &configured_.slots[failed.slot];
  for (const config::slot& s : configured_.slots) p.slot_sites.push_back(s.site);
  for (const std::string& path : terms_.live_sites) p.live.push_back(live_files_[path]);
  p.stable_release = to.release;
  p.failed_release = failed.release;
  rollback::transaction carried(configured_, through_, nginx_, tell_);
  const rollback::ending end = co_await carried.carry_out(std::move(p));
  std::string says = close(b, to, failed, end);
  co_await keep("failed", to_text(*failed_));
  const std::string id = fmt::format("{}", std::chrono::duration_cast<std::chrono::milliseconds>(wall.time_since_epoch()).count());
  const auto recorded = co_await store_.record(id, std::string(rollback::name_of(end.how)), to_text(begun));
  if (!recorded) tell_({"store.failed", severity::critical, fmt::format("the incident could not be stored: {}", recorded.error()), {}});
  co_await remember();
  static_cast<void>(co_await store_.forget("attempt"));
  rolling_ = false;
  if (end.how == rollback::outcome::rolled_back) co_return says;
  co_return std::unexpected(std::move(says));
}

std::string control::close(const breach& b, const placed& to, const placed& failed, const rollback::ending& end) {
  const bool on_stable = end.how == rollback::outcome::rolled_back || end.how == rollback::outcome::unproven;
  if (on_stable) {
    tracker_.rolled_back_to(to.slot, to.release);
    breaches_.clear();  // they speak of the release that is gone
  }
  const std::string to_text_ = fmt::format("{} with {}", name(to.slot), to.release);
  std::string says;
  switch (end.how) {
    case rollback::outcome::rolled_back:
      says = fmt::format("{} is live, proven in {}: {}", to_text_, format_duration(end.took), end.says);
      break;
    case rollback::outcome::unproven:
      says = fmt::format("nginx was put on {}, but it is not proven that users reach it: {}", to_text_, end.says);
      break;
    case rollback::outcome::undone:
      says = fmt::format("undone, {} stays live: {}", name(failed.slot), end.says);
      break;
    case rollback::outcome::operator_took_over:
      says = fmt::format("a person took over: {}", end.says);
      break;
    case rollback::outcome::not_undone:
      says = end.says;
      break;
  }
  event e{"rollback.closed", end.how == rollback::outcome::rolled_back ? severity::warning : severity::critical, says, {}};
  e.with("outcome", std::string(rollback::name_of(end.how)))
      .with("rule", b.rule)
      .with("seconds", to_seconds(end.took))
      .with("live", on_stable ? name(to.slot) : name(failed.slot));
  tell_(std::move(e));
  update_window(std::chrono::steady_clock::now());
  return says;
}

std::string control::undo_attempt(const attempt& cut_off, const std::string& why) {
  const auto failed = std::ranges::find(configured_.slots, cut_off.failed_slot, &config::slot::name);
  if (failed == configured_.slots.end()) return fmt::format("a rollback was cut off, and nginx refuses its configuration: {}", why);
  rollback::plan back;
  back.stable = &*failed;
  for (const config::slot& s : configured_.slots) back.slot_sites.push_back(s.site);
  for (const std::string& path : terms_.live_sites) {
    if (auto found = rollback::read_site(path)) back.live.push_back(std::move(*found));
  }
  const auto installed = rollback::transaction(configured_, through_, nginx_, tell_).install_all(back);
  return fmt::format("a rollback to {} was cut off, and nginx refuses its configuration ({}): {}", cut_off.to_slot, why,
                     installed ? fmt::format("{} stays live", cut_off.failed_slot) : installed.error());
}

asio::awaitable<void> control::finish_attempt(const attempt& cut_off) {
  // The world decides, not what was believed: the live file is whole, whichever it is; nginx is made to read it, if it can.
  const auto site = site_of();
  const bool installed = site && name(*site) == cut_off.to_slot;
  std::string says = fmt::format("a rollback to {} was cut off before its install: {} stays live", cut_off.to_slot, cut_off.failed_slot);
  if (installed) {
    const auto tested = co_await nginx_.test();
    if (tested) {
      const auto reloaded = co_await nginx_.reload();
      says = reloaded ? fmt::format("a rollback to {} that was cut off is completed", cut_off.to_slot)
                      : fmt::format("a rollback to {} was cut off, and nginx can't be reloaded: {}", cut_off.to_slot, reloaded.error());
    } else {
      says = undo_attempt(cut_off, tested.error());
    }
    if (const auto text = store_.get("seen")) {
      auto seen = remembered_from(*text, names_);
      const auto to = static_cast<std::size_t>(std::ranges::find(names_, cut_off.to_slot) - names_.begin());
      if (seen && to < names_.size()) {
        seen->live = placed{to, cut_off.to_release};  // ours, and so no cutover
        tracker_.recall(*seen, std::chrono::steady_clock::now(), std::chrono::system_clock::now());
      }
    }
  }
  event e{"rollback.recovered", severity::critical, std::move(says), {}};
  e.with("completed", installed).with("rule", cut_off.rule);
  tell_(std::move(e));
  static_cast<void>(co_await store_.forget("attempt"));
}

}  // namespace flipback::deployment
