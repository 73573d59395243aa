#include "agent/generation.hpp"

#include "agent/config/catalogue.hpp"
#include "agent/config/stable_twins.hpp"
#include "agent/verdict_event.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace flipback {

namespace {

instant now() {
  return std::chrono::steady_clock::now();
}

std::optional<config::mode> mode_of(const std::string& word) {
  if (word.empty()) return std::nullopt;
  return word == "act" ? config::mode::act : word == "ask" ? config::mode::ask : config::mode::observe;
}

}  // namespace

generation::generation(asio::io_context& loop, config::configuration from, store* kept, teller tell, settings::diagnostics& problems)
    : loop_(loop),
      configured_(std::move(from)),
      tell_(std::move(tell)),
      network_(loop.get_executor(), configured_.agent.name_servers),
      scheduler_(loop,
                 [this](std::size_t which, const run& of, const observation& seen) {
                   observing_->take(scheduled_[which], of, seen);
                   settle();
                 }),
      tasks_(loop, [this](const std::string& why) { tell_({"agent.task_failed", severity::critical, why, {}}); }),
      watching_(loop, [this](const std::string& why) { tell_({"agent.task_failed", severity::critical, why, {}}); }),
      rule_timer_(loop) {
  config::add_stable_twins(configured_);
  made_ = config::make_probes(configured_, {loop.get_executor(), network_, config::upstreams_of(configured_), nginx_}, problems, stable_);
  for (config::probe_entry& entry : configured_.probes) {  // read; thousands of them weigh
    entry.table = {};
    entry.at_slots = {};
  }
  compile(problems);
  observing_ = std::make_unique<observing>(made_, engine_, recorder_.get(), tell_);
  for (std::size_t i = 0; i < made_.size(); ++i) {
    const config::made_probe& p = made_[i];
    if (!p.entry->in_agent) continue;
    scheduler_.add(*p.observed, p.entry->every, p.entry->timeout);
    scheduled_.push_back(i);
  }
  scheduler_.on_stall = [this](duration stood) {
    tell_({"self.stall",
           severity::warning,
           fmt::format("our own loop stood still for {}: what it missed is unknown", format_duration(stood)),
           {}});
    const instant at = now();
    engine_.unwatched(at - stood, at);
    if (recorder_) recorder_->unwatched(at - stood, at);
  };
  if (configured_.deployment && kept != nullptr) {
    control_ = std::make_unique<deployment::control>(loop_, configured_, network_, *kept, tell_);
    wire_deployment();
  }
}

generation::~generation() = default;

void generation::compile(settings::diagnostics& problems) {
  const rules::catalogue signals = config::signals_of(configured_, made_);
  rules::rule_set set = rules::with_built_ins(configured_.rules, signals, configured_.deployment.has_value());
  rules_off_ = std::move(set.off);
  engine_ = rules::engine(rules::compile(set.on, signals, problems));
  if (configured_.record) recorder_ = std::make_unique<recorder>(loop_, *configured_.record, signals, tell_);
}

void generation::wire_deployment() {
  control_->on_cutover = [this](instant at) {
    engine_.cutover(at);
    if (recorder_) recorder_->cutover(at);
    for (const rules::change& c : engine_.settle(now())) told(c);
    tell_breaches();
    arm();
  };
  control_->on_window = [this](bool open) {
    engine_.window(open);
    if (recorder_) recorder_->window(now(), open);
  };
  for (const config::slot& s : configured_.slots) {
    if (const auto series = engine_.series_named(s.name + ".up")) slot_series_[s.name] = *series;
  }
  control_->on_way_back = [this](std::optional<std::size_t> slot) { *stable_ = slot; };
  for (const std::string slot : {"live", "stable", "front_door"}) {
    if (const auto series = engine_.series_named(slot + ".up")) slot_series_[slot] = *series;
  }
  control_->on_slot = [this](const std::string& slot, std::optional<bool> up, instant asked, instant at) {
    const sample s{asked, at, up ? std::optional<measured>(*up ? 1.0 : 0.0) : std::nullopt, false};
    if (recorder_) recorder_->add(recorder_->series_named(slot + ".up"), s);
    const auto series = slot_series_.find(slot);
    if (series == slot_series_.end()) return;
    engine_.add(series->second, s);
    settle();
  };
}

void generation::adopt(generation&& before) {
  engine_.adopt(std::move(before.engine_));
  continues_ = true;
}

asio::awaitable<void> generation::start() {
  if (recorder_) {
    recorder_->begin(continues_);
    tasks_.spawn(recorder_->run());
  }
  for (const config::made_probe& p : made_) {  // first, since what comes by datagrams is kept for moments only
    if (p.entry->in_agent && p.observed->follows()) tasks_.spawn(p.observed->follow());
  }
  if (control_) {
    co_await control_->start();
    tell_breaches();  // from before a reload
    watching_.spawn(control_->watch());
    tasks_.spawn(ask_nginx());
  }
  scheduler_.start(configured_.agent.spread);
}

asio::awaitable<void> generation::ask_nginx() {
  const auto found = co_await control_->nginx().configured();
  if (!found) {
    tell_({"nginx.unknown", severity::warning, fmt::format("nginx's configuration can't be read: {}", found.error()), {}});
    co_return;
  }
  control_->nginx().logs_errors_to(found->error_log);
  nginx_->access_logs = found->access_logs;
  nginx_->known = true;
}

asio::awaitable<void> generation::stop() {
  stopped_ = true;
  rule_timer_.cancel();
  if (control_) control_->stop();
  co_await scheduler_.stop();
  co_await watching_.join();
  tasks_.cancel();
  co_await tasks_.join();
}

void generation::settle() {
  // Many samples of one wake-up are judged together.
  if (std::exchange(settling_posted_, true)) return;
  asio::post(loop_, [this] {
    settling_posted_ = false;
    if (stopped_) return;
    for (const rules::change& c : engine_.settle(now())) told(c);
    arm();
  });
}

void generation::arm() {
  const auto due = engine_.due();
  if (!due || stopped_) return;
  if (rule_timer_.expiry() == *due && *due > now()) return;
  rule_timer_.expires_at(*due);
  rule_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) settle();
  });
}

/// What is breached, though no change of a verdict says so now.
void generation::tell_breaches() {
  for (std::size_t i = 0; i < engine_.rules().size(); ++i) {
    const bool acts = engine_.rules()[i].from.then == rules::consequence::rollback;
    if (!acts || engine_.verdict_of(i) != rules::verdict::breached) continue;
    control_->breached(breach_of(i, engine_.true_since(i).value_or(now()), engine_.explain(i, now()).says, engine_.not_this_release(i)));
  }
}

void generation::told(const rules::change& c) {
  const rules::rule& of = engine_.rules()[c.rule];
  event e = event_of(c, of);
  if (c.kind == rules::change_kind::blind) e.says += seen_by(c.rule);
  tell_(std::move(e));
  if (c.kind == rules::change_kind::blind) return;
  if (control_ && of.from.holds && c.to == rules::verdict::breached)
    control_->hold_for(fmt::format("the rule {}", of.from.name), c.why.says, std::chrono::days(1));
  if (!control_ || of.from.then != rules::consequence::rollback) return;
  if (c.to == rules::verdict::breached) {
    control_->breached(breach_of(c.rule, c.true_since.value_or(c.at), c.why.says, c.not_this_release));
  } else if (c.from == rules::verdict::breached) {
    control_->resolved(of.from.name);
  }
}

bool generation::reads(std::size_t rule, const std::string& probe) const {
  return std::ranges::any_of(engine_.rules()[rule].sources, [&](const rules::source& s) { return s.name.starts_with(probe + "."); });
}

/// What a rule that can't be judged has to go by: whether a log is silent though users come in, or can't be read.
std::string generation::seen_by(std::size_t rule) const {
  std::string says;
  for (const watched& w : observing_->all()) {
    if (w.newest && reads(rule, w.entry->name)) says += fmt::format("; {}: {}", w.entry->name, w.newest->says);
  }
  const auto stands = this->stands();
  if (stands && !stands->front_door.empty()) says += fmt::format("; the front door: {}", stands->front_door);
  return says;
}

deployment::breach generation::breach_of(std::size_t rule, instant since, std::string why, bool not_this_release) {
  const rules::rule_source& of = engine_.rules()[rule].from;
  deployment::breach b;
  b.rule = of.name;
  b.true_since = since;
  b.why = std::move(why);
  b.not_this_release = not_this_release;
  b.mode = mode_of(of.mode);
  for (const config::made_probe& p : made_) {
    const bool read = reads(rule, p.entry->name);
    if (read && b.unfit.empty()) b.unfit = p.observed->unfit_to_act();
    const auto* const knows = read ? dynamic_cast<const knows_errors*>(p.observed.get()) : nullptr;
    if (knows != nullptr) b.errors = [knows](instant begin) { return knows->errors_since(begin); };
  }
  b.about_errors =
      std::ranges::any_of(engine_.rules()[rule].sources, [](const rules::source& s) { return s.name.ends_with("error_rate"); });
  b.shared = [this] { return ailing_beside_the_slots(); };
  b.still = [this, rule] {
    const bool breached = engine_.verdict_of(rule) == rules::verdict::breached;
    return breached && engine_.explain(rule, now()).is == rules::truth::yes;
  };
  b.withheld = [this, rule] { return engine_.withheld(rule, now()) == rules::truth::yes; };
  return b;
}

/// What fails and goes through no slot: the same for both.
deployment::ailing generation::ailing_beside_the_slots() const {
  deployment::ailing all;
  for (const watched& w : observing_->all()) {
    const bool fails = w.newest && w.newest->result == outcome::fail;
    if (fails && w.entry->shared) all.push_back(w.entry->name);
  }
  return all;
}

std::optional<deployment::standing> generation::stands() const {
  return control_ ? std::optional(control_->stands()) : std::nullopt;
}

}  // namespace flipback
