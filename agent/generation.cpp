#include "agent/generation.hpp"

#include "agent/config/slot_twins.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace flipback {

generation::generation(asio::io_context& loop, config::configuration from, deployment::memory* remembered, teller tell,
                       settings::diagnostics& problems)
    : loop_(loop),
      configured_(std::move(from)),
      tell_(std::move(tell)),
      network_(loop.get_executor(), configured_.agent.name_servers),
      scheduler_(loop, [this](std::size_t which, const run& of, const observation& seen) { take(scheduled_[which], of, seen); }),
      tasks_(loop, [this](const std::string& why) { tell_({"agent.task_failed", severity::critical, why, {}}); }),
      watching_(loop, [this](const std::string& why) { tell_({"agent.task_failed", severity::critical, why, {}}); }) {
  config::add_slot_twins(configured_);
  const surroundings in{loop.get_executor(), network_, config::upstreams_of(configured_), nginx_, live_};
  made_ = config::make_probes(configured_, in, problems, slots_);
  checks_ = std::make_unique<slot_checks>(loop, configured_, in);
  for (config::probe_entry& entry : configured_.probes) {  // read; thousands of them weigh
    if (entry.type == "access_log") continue;              // the acting part reads the same logs
    entry.table = {};
    entry.at_slots = {};
  }
  judge_ = std::make_unique<judge>(loop, configured_, made_, *checks_, tell_, problems);
  for (std::size_t i = 0; i < made_.size(); ++i) {
    const config::made_probe& p = made_[i];
    if (!p.entry->in_agent) continue;
    scheduler_.add(*p.observed, p.entry->every, p.entry->timeout);
    scheduled_.push_back(i);
  }
  scheduler_.on_stall = [this](duration stood) { judge_->stood_still(stood); };
  if (!configured_.deployment || remembered == nullptr) return;
  acting_ = std::make_unique<deployment::acting>(loop, configured_, network_, *remembered, *judge_, tell_);
  wire_deployment();
}

generation::~generation() = default;

void generation::wire_deployment() {
  judge_->on_rollback_rules = [this] { acting_->shell().rules_changed(); };
  judge_->on_mark = [this](instant mark) { live_->anew = mark; };
  judge_->on_hold = [this](const std::string& rule, const std::string& why) { acting_->shell().hold_for(rule, why, std::chrono::days(1)); };
  acting_->on_look = [this](const deployment::sighting& seen, const deployment::state& s) { hand_on(seen, s); };
  acting_->on_configuration = [this](const rollback::nginx_configuration& found) {
    nginx_->access_logs = found.access_logs;
    nginx_->known = true;
  };
  acting_->on_addresses = [this](const nginx::slot_addresses& known) {
    nginx_->addresses = std::make_shared<const nginx::slot_addresses>(known);
  };
  acting_->on_live = [this](const std::optional<deployment::live_slot>& now) { tell_live(now); };
}

void generation::take(std::size_t probe, const run& of, const observation& seen) {
  if (const config::probe_entry& entry = *made_[probe].entry; entry.critical) slots_->at_front_door[entry.name] = seen.why;
  judge_->take(probe, of, seen);
}

void generation::tell_live(const std::optional<deployment::live_slot>& now) {
  const auto before = std::exchange(known_live_, now);
  const auto epoch_of = [](const std::optional<deployment::live_slot>& of) {
    return of ? std::optional(std::pair(of->slot, of->epoch)) : std::nullopt;
  };
  live_->slot = now ? std::optional(now->slot) : std::nullopt;
  if (std::exchange(slots_->live, live_->slot) != live_->slot) judge_->forget_asked(config::slot_role::live);
  live_->since = now ? std::optional(now->since.at) : std::nullopt;
  if (epoch_of(now) != epoch_of(before)) ++live_->turn;
}

/// What a look saw of the slots are signals, too.
void generation::hand_on(const deployment::sighting& seen, const deployment::state& s) {
  const auto up = [&](std::optional<deployment::slot_number> slot) {
    return slot && !seen.slots[*slot].not_asked ? std::optional(seen.slots[*slot].well) : std::nullopt;
  };
  const auto tell_slot = [&](const std::string& name, std::optional<bool> is) { judge_->see_up(name, is, seen.begun.at, seen.at.at); };
  for (std::size_t i = 0; i < configured_.slots.size(); ++i) tell_slot(configured_.slots[i].name, up(i));
  judge_->hear_front_door(seen.front_door.says);
  const auto& now = s.track.now;
  tell_slot("live", up(now ? std::optional(now->live.slot) : std::nullopt));
  const bool has_way_back = now && now->back && now->back->to.slot != now->live.slot;
  const auto stable = has_way_back ? std::optional(now->back->to.slot) : std::nullopt;
  if (std::exchange(slots_->stable, stable) != stable) judge_->forget_asked(config::slot_role::stable);
  tell_slot("stable", up(stable));
  tell_slot("front_door", now ? deployment::live_slot_serves(seen, now->live.slot) : std::nullopt);
}

void generation::adopt(generation&& before) {
  judge_->adopt(std::move(*before.judge_));
  live_->anew = before.live_->anew;
  if (acting_ && before.acting_) {
    acting_->go_on_after(std::move(*before.acting_));
    *nginx_ = *before.nginx_;
    if (configured_.slots != before.configured_.slots) nginx_->addresses.reset();
  } else if (acting_) {
    acting_->begin();
  }
  continues_ = true;
}

void generation::start() {
  if (recorder* record = judge_->recorded()) {
    record->begin(continues_);
    tasks_.spawn(record->run());
  }
  // First: a log that is read from before the start is to be read for the slot that was live.
  if (acting_ && !continues_) acting_->begin();
  for (const config::made_probe& p : made_) {  // soon, since what comes by datagrams is kept for moments only
    if (p.entry->in_agent && p.observed->follows()) tasks_.spawn(p.observed->follow());
  }
  if (acting_) watching_.spawn(acting_->watch());
  scheduler_.start(configured_.agent.spread);
}

asio::awaitable<void> generation::stop(bool agent_ends) {
  if (acting_) acting_->stop(agent_ends);
  co_await watching_.join();
  judge_->stop();
  co_await scheduler_.stop();
  tasks_.cancel();
  co_await tasks_.join();
  co_await asio::post(loop_, asio::use_awaitable);  // what was posted to the judge before it was stopped
}

std::optional<deployment::standing> generation::stands() const {
  return acting_ ? std::optional(acting_->shell().stands()) : std::nullopt;
}

}  // namespace flipback
