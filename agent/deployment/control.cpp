#include "agent/deployment/control.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace flipback::deployment {

namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr duration remember_every = seconds(10);
constexpr duration failed_for = hours(24);

instant now() {
  return std::chrono::steady_clock::now();
}

std::vector<std::string> names_of(const std::vector<config::slot>& slots) {
  std::vector<std::string> names;
  for (const config::slot& s : slots) names.push_back(s.name);
  return names;
}

}  // namespace

control::control(asio::io_context& loop, const config::configuration& configured, net::network& through, store& kept, teller tell)
    : loop_(loop),
      configured_(configured),
      terms_(*configured.deployment),
      through_(through),
      store_(kept),
      tell_(std::move(tell)),
      names_(names_of(configured.slots)),
      tracker_(names_, terms_.stable),
      nginx_(configured.nginx, loop.get_executor()),
      pause_(loop),
      keeping_(loop, [this](const std::string& why) { tell_({"store.failed", severity::critical, why, {}}); }) {}

control::~control() = default;

asio::awaitable<void> control::start() {
  for (const std::string& site : terms_.live_sites) rollback::sweep(site);
  if (const auto text = store_.get("seen")) {
    if (const auto found = remembered_from(*text, names_)) tracker_.recall(*found, now(), std::chrono::system_clock::now());
  }
  if (const auto text = store_.get("latch")) latch_ = latch_from(*text);
  if (const auto text = store_.get("hold")) hold_ = hold_from(*text);
  if (const auto text = store_.get("failed")) failed_ = latch_from(*text);
  if (const auto text = store_.get("attempt")) {
    if (const auto cut_off = attempt_from(*text)) co_await finish_attempt(*cut_off);
  }
}

asio::awaitable<void> control::watch() {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  while (!stopping_) {
    const instant began = now();
    try {
      const sighting seen = co_await look();
      if (stopping_) break;
      take_in(seen);
      if (const auto given = std::exchange(order_, nullptr)) co_await carry_out(*given);
      co_await try_breaches();
    } catch (const std::exception& error) {  // a mistake of ours must not leave the deployment unwatched
      rolling_ = false;
      tell_({"agent.task_failed", severity::critical, fmt::format("a look at the deployment failed: {}", error.what()), {}});
    }
    pause_.expires_at(began + terms_.watch_every);
    boost::system::error_code woken;
    co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  co_await keeping_.join();
}

void control::stop() {
  stopping_ = true;
  if (order_) order_->answered.cancel();
  pause_.cancel();
}

asio::awaitable<sighting> control::look() {
  sighting seen;
  seen.slots.resize(names_.size());
  task_group asked(loop_, [](const std::string&) {});
  const auto ask_door = [](control& self, sighting& into) -> asio::awaitable<void> {
    into.front_door = co_await ask_front_door(self.through_, self.terms_.front_door, answer_limit);
  };
  const auto ask = [](control& self, sighting& into, std::size_t i) -> asio::awaitable<void> {
    into.slots[i] = co_await ask_slot(self.through_, self.configured_.slots[i], self.terms_.front_door, answer_limit);
  };
  asked.spawn(ask_door(*this, seen));
  for (std::size_t i = 0; i < names_.size(); ++i) asked.spawn(ask(*this, seen, i));
  co_await asked.join();
  seen.site_of = site_of();
  seen.at = now();
  seen.wall = std::chrono::system_clock::now();
  co_return seen;
}

std::optional<std::size_t> control::site_of() const {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto site = rollback::read_site(configured_.slots[i].site);
    if (!site || !site->exists) continue;
    const bool all = std::ranges::all_of(terms_.live_sites, [&](const std::string& path) {
      const auto live = rollback::read_site(path);
      return live && live->exists && live->bytes == site->bytes;
    });
    if (all) return i;
  }
  return std::nullopt;
}

std::optional<wall_time> control::file_changed() const {
  std::error_code error;
  const auto time = std::filesystem::last_write_time(terms_.live_sites.front(), error);
  if (error) return std::nullopt;
  return std::chrono::time_point_cast<wall_time::duration>(std::chrono::file_clock::to_sys(time));
}

void control::take_in(const sighting& s) {
  const auto cutover_before = tracker_.newest_cutover();
  const auto live_before = tracker_.live();
  for (event& e : tracker_.see(s, file_changed())) tell_(std::move(e));
  last_ = s;
  for (const std::string& path : terms_.live_sites) {
    if (auto found = rollback::read_site(path)) live_files_[path] = std::move(*found);
  }
  const auto& cutover_now = tracker_.newest_cutover();
  const bool cut_over = cutover_now && (!cutover_before || cutover_before->wall != cutover_now->wall);
  const bool recalled = !live_before && tracker_.live() && cutover_now && !cut_over;
  if (cut_over || recalled) {
    said_.clear();
    breaches_.clear();  // they speak of the release before; the rules say at once what is breached since
    if (on_cutover) on_cutover(cutover_now->at);
  }
  if (cut_over) {
    latch_.reset();
    keeping_.spawn(let_go("latch"));
  }
  update_window(s.at);
  if (tracker_.live() && (cut_over || !live_before || s.at - remembered_at_ >= remember_every)) keeping_.spawn(remember());
  if (!on_slot) return;
  const auto tell_slot = [&](const std::string& slot, std::optional<std::size_t> i) {
    on_slot(slot, i ? std::optional(s.slots[*i].healthy) : std::nullopt, s.at, s.at);
  };
  for (std::size_t i = 0; i < names_.size(); ++i) tell_slot(names_[i], i);
  tell_slot("live", tracker_.live() ? std::optional(tracker_.live()->slot) : std::nullopt);
  const auto back = tracker_.stable();
  const auto stable = back ? std::optional(back->slot) : std::nullopt;
  if (on_way_back) on_way_back(stable);
  tell_slot("stable", stable);
  // Where it does not answer at all, nginx is what is ill, and no slot.
  const bool answers = s.front_door.is != identity_answer::kind::silent;
  const bool well = s.front_door.is != identity_answer::kind::failing;
  on_slot("front_door", answers ? std::optional(well) : std::nullopt, s.at, s.at);
}

bool control::began_in_window(instant condition) const {
  const auto& newest = tracker_.newest_cutover();
  return newest && condition >= newest->at && condition <= newest->at + terms_.window;
}

void control::update_window(instant at) {
  const auto& newest = tracker_.newest_cutover();
  const bool open = newest && tracker_.live() && tracker_.live()->slot == newest->to.slot && at <= newest->at + terms_.window;
  if (open == window_open_) return;
  window_open_ = open;
  event e{"deployment.window",
          severity::info,
          open ? fmt::format("the rollback window is open for {}", format_duration(newest->at + terms_.window - at))
               : "the rollback window is closed: rules alert only",
          {}};
  e.with("open", open);
  tell_(std::move(e));
  if (on_window) on_window(open);
}

void control::breached(breach b) {
  breaches_.insert_or_assign(b.rule, std::move(b));
  pause_.cancel();  // look and act at once
}

void control::resolved(const std::string& rule) {
  breaches_.erase(rule);
  std::erase_if(said_, [&](const std::string& key) { return key.starts_with(rule + "/"); });
}

circumstances control::circumstances_of(const breach& b) const {
  circumstances c;
  c.mode = b.mode.value_or(terms_.mode);
  c.window_open = began_in_window(b.true_since);
  c.mixed = tracker_.mixed();
  c.rolling = rolling_;
  c.not_this_release = b.not_this_release;
  const auto& live = tracker_.live();
  const auto age = std::chrono::system_clock::now();
  c.failed_before =
      failed_ && live && failed_->release == live->release && failed_->slot == name(live->slot) && age - failed_->shut < failed_for;
  if (latch_) c.latched = fmt::format("the latch is shut: {} with {} was rolled back already", latch_->slot, latch_->release);
  c.held = held();
  c.no_way_back = tracker_.no_way_back();
  c.unfit = b.unfit;
  if (b.withheld && b.withheld()) c.withheld = "the rule's unless is true";
  if (const auto back = tracker_.stable()) {
    c.stable = name(back->slot);
    c.stable_healthy = tracker_.healthy_in_a_row(back->slot);
    c.stable_says = last_.slots.empty() ? "" : last_.slots[back->slot].says;
  }
  c.confirm = terms_.confirm;
  if (b.about_errors && b.errors && tracker_.newest_cutover()) c.client = one_client_makes(b.errors(tracker_.newest_cutover()->at));
  return c;
}

void control::say_guard(const breach& b, const guard_answer& answer) {
  if (answer.guard == "confirm" || !said_.insert(b.rule + "/" + answer.guard).second) return;
  const auto back = tracker_.stable();
  const std::string would = back ? fmt::format("would roll back to {} with {}", name(back->slot), back->release) : "no rollback";
  const bool blocked = answer.is == guarded::blocked;
  event e{blocked ? "rollback.blocked" : "rollback.withheld",
          severity::critical,
          fmt::format("{} is breached, {}: {}", b.rule, would, answer.says),
          {}};
  e.with("rule", b.rule).with("guard", answer.guard);
  tell_(std::move(e));
}

asio::awaitable<void> control::try_breaches() {
  // A copy of the names: what happens meanwhile may resolve a rule.
  std::vector<std::string> rules;
  for (const auto& [rule, unused] : breaches_) rules.push_back(rule);
  for (const std::string& rule : rules) {
    const auto at = breaches_.find(rule);
    if (at == breaches_.end()) continue;
    const breach b = at->second;
    if (co_await try_rollback(b)) break;
  }
}

asio::awaitable<bool> control::try_rollback(const breach& b) {
  const auto& live = tracker_.live();
  if (!live) co_return false;
  guard_answer answer = ask_guards(circumstances_of(b));
  if (answer.is != guarded::act) {
    const bool person_decides = answer.guard == "mode" || answer.guard == "ask" || answer.guard == "client";
    if (person_decides && !said_.contains(b.rule + "/" + answer.guard))
      answer.says += "; " + (co_await ask_blame(b, *tracker_.stable())).says;
    say_guard(b, answer);
    co_return false;
  }
  const placed from = *live;
  const placed to = *tracker_.stable();
  // Once more, immediately before: a minute-old answer must not make a sick slot live.
  const slot_answer direct = co_await ask_slot(through_, configured_.slots[to.slot], terms_.front_door, answer_limit);
  if (!direct.healthy) {
    say_guard(b,
              {guarded::blocked, "healthy", fmt::format("{} is sick too ({}): rolling back would not help", name(to.slot), direct.says)});
    co_return false;
  }
  if (direct.identity.is == identity_answer::kind::identified && direct.identity.release != to.release) {
    say_guard(
        b, {guarded::only_say, "stable", fmt::format("{} no longer has {}, but {}", name(to.slot), to.release, direct.identity.release)});
    co_return false;
  }
  const blame blamed = co_await ask_blame(b, to);
  if (blamed.elsewhere) {
    say_guard(b, {guarded::only_say, "blame", blamed.says});
    co_return false;
  }
  if (!may_begin(b.rule, from, to)) co_return false;
  co_await roll_back(b, to, blamed.says);
  co_return true;
}

/// Asked in the step in which the rollback begins: while the world was asked, somebody may have held it, or the breach may have ended.
bool control::may_begin(const std::string& rule, const placed& live, const placed& to) {
  const auto at = breaches_.find(rule);
  if (stopping_ || at == breaches_.end() || tracker_.live() != live || tracker_.stable() != to) return false;
  const breach& now = at->second;
  guard_answer answer = ask_guards(circumstances_of(now));
  if (answer.is == guarded::act && now.still && !now.still())
    answer = {guarded::blocked, "condition", "its condition is not true at this moment"};
  if (answer.is == guarded::act) return true;
  say_guard(now, answer);
  return false;
}

asio::awaitable<void> control::let_go(std::string fact) {
  const auto gone = co_await store_.forget(fact);
  if (!gone)
    tell_({"store.failed", severity::critical, fmt::format("that the {} is gone could not be stored: {}", fact, gone.error()), {}});
}

asio::awaitable<void> control::remember() {
  remembered_at_ = now();
  if (!tracker_.live()) co_return;
  co_await keep("seen", to_text(remembered{*tracker_.live(), std::chrono::system_clock::now(), tracker_.newest_cutover()}, names_));
}

}  // namespace flipback::deployment
