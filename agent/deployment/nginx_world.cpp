#include "agent/deployment/nginx_world.hpp"

#include "agent/deployment/asking.hpp"
#include "agent/deployment/blame_asking.hpp"
#include "agent/deployment/ready.hpp"
#include "agent/process/lasting.hpp"
#include "agent/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::deployment {

namespace {

constexpr duration line_comes_within = std::chrono::milliseconds(30);  ///< after its answer: nginx writes it when the request is over
constexpr duration between_looks_for_a_line = std::chrono::milliseconds(2);

/// Whose change is a reason to look again whether all is ready: what nginx is configured by, and what a switch would put there.
std::vector<std::string> files_behind(const rollback::nginx_configuration& nginx, const config::configuration& configured) {
  std::vector<std::string> all = nginx.files;
  all.push_back(configured.nginx.conf);
  if (configured.deployment) {
    for (const config::live_file& f : configured.deployment->live_files) all.insert(all.end(), f.of_slots.begin(), f.of_slots.end());
  }
  return all;
}

moment now_is() {
  return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()};
}

}  // namespace

nginx_world::nginx_world(asio::io_context& loop, const config::configuration& configured, net::network& through, rollback::slot_switch& by,
                         rollback::nginx& operated)
    : loop_(loop),
      configured_(configured),
      through_(through),
      by_(by),
      operated_(operated),
      files_(files_behind({}, configured)),
      chance_(std::random_device{}()),
      boot_id_(process::boot_id()) {}

nginx_world::~nginx_world() = default;

clocks nginx_world::now() {
  return {boot_id_, now_is()};
}

intent nginx_world::names() {
  return by_.names();
}

/// Never used twice, and not to be guessed: it is how our own line is known in the log.
std::string nginx_world::nonce() {
  return fmt::format("{:08x}{:08x}{:x}", chance_(), chance_(), ++questions_);
}

asio::awaitable<sighting> nginx_world::look(bool fresh) {
  if (!log_) co_await learn(nullptr);
  sighting seen;
  seen.begun = now_is();
  seen.fresh = fresh;
  seen.slots.resize(configured_.slots.size());
  const std::string with = fresh ? nonce() : std::string();
  task_group asked(loop_, [](const std::string&) {});
  asked.spawn([](nginx_world& self, std::string n, reply& into) -> asio::awaitable<void> {
    into = co_await ask_front_door(self.through_, self.configured_.deployment->front_door, std::move(n));
  }(*this, with, seen.front_door));
  for (std::size_t i = 0; i < configured_.slots.size(); ++i) {
    asked.spawn([](nginx_world& self, std::size_t which, slot_reply& into) -> asio::awaitable<void> {
      into = co_await self.ask_slot(which);
    }(*this, i, seen.slots[i]));
  }
  asked.spawn([](nginx_world& self) -> asio::awaitable<void> { co_await self.by_.refresh(); }(*this));
  co_await asked.join();
  believe_groups();
  seen.log = log_->look(with);
  seen.names = by_.names();
  if (seen.names.changed) {
    const auto since = operated_.workers_since(*seen.names.changed);
    seen.workers.visible = since.has_value();
    seen.workers.all_since_change = since.value_or(false);
  }
  seen.configuration_changed = files_.differ() || folders_.differ();
  seen.at = now_is();
  co_return seen;
}

asio::awaitable<slot_reply> nginx_world::ask_slot(slot_number which) {
  co_return co_await deployment::ask_slot(through_, configured_.slots[which], configured_.deployment->front_door);
}

asio::awaitable<blame> nginx_world::ask_blame(slot_number live, slot_number stable, error_shares errors) {
  std::vector<question> questions = questions_from(errors.sample, chance_);
  const double safe = errors.errors == 0 ? 0 : static_cast<double>(errors.safe_errors) / static_cast<double>(errors.errors);
  const std::vector<tried> all = co_await ask_both(loop_, through_, configured_.slots[live], configured_.slots[stable],
                                                   configured_.deployment->front_door.host, std::move(questions), asked_for);
  co_return judge(all, safe);
}

asio::awaitable<void> nginx_world::learn(const rollback::nginx_configuration* found) {
  std::vector<witness_log> logs = witness_logs(found, configured_);
  const std::vector<slot_upstreams> slots = config::upstreams_of(configured_);
  slot_addresses addresses(slots);
  const std::vector<upstream_group> groups = found == nullptr ? std::vector<upstream_group>{} : rollback::groups_of(*found);
  addresses.learn(groups);
  const std::optional<slot_addresses> before = log_ ? std::optional(log_->addresses()) : std::nullopt;
  co_await addresses.resolve(through_, before ? &*before : nullptr);
  addresses.learn(groups);
  co_await addresses.resolve(through_, before ? &*before : nullptr);
  if (!log_) {
    proof_log_ = std::make_unique<log_witness>(logs, addresses, configured_.slots.size());
    log_ = std::make_unique<log_witness>(std::move(logs), std::move(addresses), configured_.slots.size());
  } else if (found != nullptr) {
    // Groups that are others than before are nginx's only once its workers are newer than the change.
    const bool are_as_before = groups_are_nginxs_ && addresses.has_same_groups(log_->addresses());
    groups_are_nginxs_ = are_as_before || !log_->addresses().has_groups();
    proof_log_->learn(logs, addresses);
    log_->learn(std::move(logs), std::move(addresses));
  }
  believe_groups();
  if (found != nullptr) tell_addresses();
}

/// A group's name in the log is one of the configuration that nginx runs, and what is known of groups is of the files as they were read.
/// Who counts requests may go by a cutover that was seen since, too: what old workers still log began before it. A witness may not.
void nginx_world::believe_groups() {
  const bool changed = files_.differ();
  if (!groups_are_nginxs_ && !changed) {
    const auto newest = std::max(files_.changed(), by_.names().changed);
    groups_are_nginxs_ = newest && operated_.workers_since(*newest) == true;
  }
  const bool believed = groups_are_nginxs_ && !changed;
  log_->believe_groups(believed);
  proof_log_->believe_groups(believed);
  const bool followed = !changed && followed_ && files_.changed() && *followed_ >= *files_.changed();
  if (const bool told = believed || followed; std::exchange(told_to_believe_, told) != told) tell_addresses();
}

void nginx_world::tell_addresses() {
  if (!on_addresses) return;
  slot_addresses known = log_->addresses();
  known.believe_groups(told_to_believe_);
  on_addresses(known);
}

asio::awaitable<known_readiness> nginx_world::look_ready() {
  const instant began = std::chrono::steady_clock::now();
  folders_.look();
  files_.look();  // first: what changes while it is looked is looked at again
  answers_at_once answered = co_await ask_all(loop_, through_, configured_);
  readiness found = co_await deployment::look_ready(by_, operated_, configured_, std::move(answered));
  if (found.nginx) {
    files_.watch(files_behind(*found.nginx, configured_));
    folders_.watch(found.nginx->include_folders);
    operated_.logs_errors_to(found.nginx->error_log);
    co_await learn(&*found.nginx);
    if (on_configuration) on_configuration(*found.nginx);
  }
  std::vector<lack> lacks = lacks_of_its_own ? lacks_of_its_own() : std::vector<lack>{};
  lacks.insert(lacks.end(), found.lacking.begin(), found.lacking.end());
  known_readiness known{began, std::move(lacks), std::move(found.notes)};
  co_return known;
}

asio::awaitable<rollback::prober::asked> nginx_world::ask() {
  const std::string with = nonce();
  asked got;
  if (proof_log_) {
    believe_groups();
    proof_log_->mark();
  }
  got.door = co_await ask_front_door(through_, configured_.deployment->front_door, with);
  if (!proof_log_) co_return got;
  const instant until = std::chrono::steady_clock::now() + line_comes_within;
  for (;;) {
    const log_sighting seen = proof_log_->look(with);
    for (slot_number s = 0; s < seen.answered.size(); ++s) {
      if (seen.answered[s] > 0) got.users.insert(s);
    }
    if (const auto& own = proof_log_->own()) {
      got.logged = true;
      got.by_cache = own->upstream.empty();
      got.slot = own->slot;
      got.worker = own->worker;
      got.upstream_status = own->upstream_status;
    }
    // Where a cache has answered us, users' requests tell.
    if (got.slot || (got.logged && !got.users.empty())) co_return got;
    if (!seen.readable || std::chrono::steady_clock::now() >= until) co_return got;
    asio::steady_timer pause(loop_, between_looks_for_a_line);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace flipback::deployment
