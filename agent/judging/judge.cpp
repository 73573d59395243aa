#include "agent/judging/judge.hpp"

#include "agent/config/catalogue.hpp"
#include "agent/judging/one_client.hpp"
#include "agent/judging/verdict_event.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace flipback {

namespace {

using deployment::answer;

constexpr duration asked_about = std::chrono::minutes(1);  ///< before the condition became true: of what made it true

instant now() {
  return std::chrono::steady_clock::now();
}

answer of(rules::truth t) {
  return t == rules::truth::yes ? answer::yes : t == rules::truth::no ? answer::no : answer::cant_tell;
}

}  // namespace

judge::judge(asio::io_context& loop, const config::configuration& configured, const std::vector<config::made_probe>& probes,
             slot_checks& checks, teller tell, settings::diagnostics& problems)
    : loop_(loop), made_(probes), tell_(std::move(tell)), checks_(checks), timer_(loop) {
  const rules::catalogue signals = config::signals_of(configured, made_);
  rules::rule_set set = rules::with_built_ins(configured.rules, signals, configured.deployment.has_value());
  rules_off_ = std::move(set.off);
  rules::compiled compiled = rules::compile(set.on, signals, problems);
  if (configured.deployment) find_users(signals, compiled);
  engine_ = rules::engine(std::move(compiled));
  if (configured.record) {
    const auto stands = [this] { return recorder::standing{engine_.cut_over_at(), engine_.window_is_open(), held_}; };
    recorder_ = std::make_unique<recorder>(loop_, *configured.record, signals, stands, tell_);
  }
  observing_ = std::make_unique<observing>(made_, engine_, recorder_.get(), tell_);
  std::vector<std::string> names{"live", "stable", "front_door"};
  for (const config::slot& s : configured.slots) names.push_back(s.name);
  for (const std::string& name : names) {
    if (const auto series = engine_.series_named(name + ".up")) slot_series_[name] = *series;
  }
}

std::vector<incident::reading> judge::rollback_readings() {
  std::vector<incident::reading> all;
  for (std::size_t i = 0; i < engine_.rules().size(); ++i) {
    const rules::rule_source& rule = engine_.rules()[i].from;
    if (rule.then != rules::consequence::rollback) continue;
    const rules::evaluation found = engine_.explain(i, now());
    all.push_back({rule.name, found.value, found.threshold, found.in});
  }
  return all;
}

void judge::adopt(judge&& before) {
  engine_.adopt(std::move(before.engine_));
  reachable_at_ = std::move(before.reachable_at_);
  watching_since_ = before.watching_since_;
  newest_mark_ = before.newest_mark_;
  held_ = std::move(before.held_);
  latched_in_ = before.latched_in_;
}

void judge::take(std::size_t probe, const run& of, const observation& seen) {
  observing_->take(probe, of, seen);
  if (made_[probe].entry->shared && answered(seen.why)) reachable_at_[made_[probe].entry->name] = of.started;
  settle_soon();
}

void judge::see_up(const std::string& name, std::optional<bool> up, instant asked, instant at) {
  const sample s{asked, at, up ? std::optional<measured>(*up ? 1.0 : 0.0) : std::nullopt, false};
  if (recorder_) recorder_->add(recorder_->series_named(name + ".up"), s);
  const auto series = slot_series_.find(name);
  if (series == slot_series_.end()) return;
  engine_.add(series->second, s);
  settle_soon();
}

void judge::stood_still(duration stood) {
  tell_({"self.stall",
         severity::warning,
         fmt::format("our own loop stood still for {}: what it missed is unknown", format_duration(stood)),
         {}});
  const instant at = now();
  engine_.unwatched(at - stood, at);
  if (recorder_) recorder_->unwatched(at - stood, at);
  settle_soon();
}

/// Many samples of one wake-up are judged together.
void judge::settle_soon() {
  if (stopped_ || std::exchange(settling_posted_, true)) return;
  asio::post(loop_, [this] {
    settling_posted_ = false;
    settle();
  });
}

void judge::settle() {
  if (stopped_) return;
  for (const rules::change& c : engine_.settle(now())) told(c);
  arm();
}

void judge::arm() {
  const auto due = engine_.due();
  if (!due || stopped_) return;
  if (timer_.expiry() == *due && *due > now()) return;
  timer_.expires_at(*due);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) settle_soon();
  });
}

void judge::stop() {
  stopped_ = true;
  timer_.cancel();
}

void judge::told(const rules::change& c) {
  const rules::rule& of = engine_.rules()[c.rule];
  event e = event_of(c, of);
  if (c.kind == rules::change_kind::blind) e.says += seen_by(c.rule);
  tell_(std::move(e));
  if (c.kind == rules::change_kind::blind) return;
  if (of.from.sets_hold && c.to == rules::verdict::breached && on_hold) on_hold(of.from.name, c.why.says);
  if (of.from.then == rules::consequence::rollback && on_rollback_rules) on_rollback_rules();
}

bool judge::reads(std::size_t rule, const std::string& probe) const {
  return std::ranges::any_of(engine_.rules()[rule].sources, [&](const rules::source& s) { return s.name.starts_with(probe + "."); });
}

/// What a rule that can't be judged has to go by: whether a log is silent though users come in, or can't be read.
std::string judge::seen_by(std::size_t rule) const {
  std::string says;
  for (const watched& w : observing_->all()) {
    if (w.newest && reads(rule, w.entry->name)) says += fmt::format("; {}: {}", w.entry->name, w.newest->says);
  }
  if (!front_door_says_.empty()) says += fmt::format("; the front door: {}", front_door_says_);
  return says;
}

asio::awaitable<std::string> judge::unmet_check(deployment::slot_number of) {
  co_return co_await checks_.unmet(of);
}

void judge::forget_asked(config::slot_role in) {
  const instant at = now();
  const std::string twin = fmt::format(".{}", config::name_of(in));
  for (const config::made_probe& p : made_) {
    const auto series = p.entry->name.ends_with(twin) ? engine_.series_named(p.entry->name + ".up") : std::nullopt;
    if (series) engine_.add(*series, {at, at, std::nullopt, false});
  }
}

/// A probe of something that both slots share, that was reachable at the cutover, or may have been before we watched, and is not now.
std::string judge::shared_is_ill() const {
  const auto since = engine_.cut_over_at();
  std::vector<std::string> ill;
  for (const watched& w : observing_->all()) {
    if (!w.entry->shared || !w.newest || w.newest->result != outcome::fail || answered(w.newest->why)) continue;
    const auto was = reachable_at_.find(w.entry->name);
    const bool was_reachable =
        was != reachable_at_.end() ? since && was->second >= *since - w.entry->every : since && *since < watching_since_;
    if (was_reachable) ill.push_back(w.entry->name);
  }
  if (ill.empty()) return {};
  return fmt::format("{} {} reachable at the cutover and {} not now, for both slots alike", fmt::join(ill, ", "),
                     ill.size() == 1 ? "was" : "were", ill.size() == 1 ? "is" : "are");
}

/// Of a rule whose `when` goes by errors, or by how long requests took: what fails on the live slot says nothing of what is slow there.
const knows_errors* judge::who_knows(std::size_t rule, telling what) const {
  const rules::rule& of = engine_.rules()[rule];
  for (const config::made_probe& p : made_) {
    const auto counts = [&](const rules::source& s) { return s.tells == what && s.name.starts_with(p.entry->name + "."); };
    if (!std::ranges::any_of(std::span(of.sources).first(of.asks), counts)) continue;
    if (const auto* knows = dynamic_cast<const knows_errors*>(p.observed.get())) return knows;
  }
  return nullptr;
}

std::vector<std::string> judge::not_this_release() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < engine_.rules().size(); ++i) {
    if (engine_.was_true_before_cutover(i)) names.push_back(engine_.rules()[i].from.name);
  }
  return names;
}

std::vector<deployment::rule_now> judge::rules_now(const deployment::state& s) {
  std::vector<deployment::rule_now> all;
  for (std::size_t i = 0; i < engine_.rules().size(); ++i) {
    if (engine_.rules()[i].from.then != rules::consequence::rollback) continue;
    const rules::verdict is = engine_.verdict_of(i);
    const bool counts = is == rules::verdict::breached || is == rules::verdict::pending;
    if (counts && engine_.true_since(i)) all.push_back(rule_as_it_is(i, s));
  }
  return all;
}

deployment::rule_now judge::rule_as_it_is(std::size_t number, const deployment::state& s) {
  const rules::rule_source& of = engine_.rules()[number].from;
  const instant at = now();
  deployment::rule_now r;
  r.name = of.name;
  r.breached = engine_.verdict_of(number) == rules::verdict::breached;
  r.true_since = *engine_.true_since(number);
  r.bridged = engine_.bridged(number);
  r.meaning = rules::meaning_of(of);
  r.lasts = of.lasting;
  const rules::evaluation when = engine_.explain(number, at);
  r.why = when.says;
  r.holds = flipback::of(when.is);
  r.mode = of.mode;
  r.not_this_release = engine_.was_true_before_cutover(number);
  rules::withholding withheld = engine_.withheld(number, at);
  r.withheld = flipback::of(withheld.is);
  r.held_against_before = withheld.held_against_before;
  r.no_worse = std::move(withheld.no_worse);
  for (const config::made_probe& p : made_) {
    if (!reads(number, p.entry->name)) continue;
    if (r.unfit.empty()) r.unfit = p.observed->unfit_to_act();
    if (r.doubtful.empty()) r.doubtful = p.observed->doubtful_to_act();
  }
  if (!r.breached) return r;
  r.shared_is_ill = shared_is_ill();
  if (const knows_errors* knows = who_knows(number, telling::errors)) {
    const error_shares errors = knows->errors_since(engine_.cut_over_at().value_or(r.true_since));
    r.one_client = one_client_of(errors);
    // Of a share of errors: what is left of it without those that only hung up.
    const double hung = errors.errors == 0 ? 0 : static_cast<double>(errors.hung_errors) / static_cast<double>(errors.errors);
    r.only_hang_ups = hung > 0 && when.in == unit::ratio && when.value && when.threshold && *when.value * (1 - hung) <= *when.threshold;
  }
  if (const auto mark = deployment::mark_of(s, r.name, r.true_since)) {
    if (!newest_mark_ || *newest_mark_ < *mark) {
      newest_mark_ = mark;
      engine_.count_anew();
      if (on_mark) on_mark(*mark);
    }
    r.above_since_mark = flipback::of(engine_.above_since(number, *mark, at));
  }
  return r;
}

error_shares judge::errors_of(const std::string& rule, instant since) {
  for (std::size_t i = 0; i < engine_.rules().size(); ++i) {
    if (engine_.rules()[i].from.name != rule) continue;
    const knows_errors* const of_errors = who_knows(i, telling::errors);
    const knows_errors* const knows = of_errors != nullptr ? of_errors : who_knows(i, telling::slowness);
    if (knows == nullptr) return {};
    const error_shares newest = knows->errors_since(std::max(engine_.cut_over_at().value_or(since), since - asked_about));
    if (of_errors == nullptr) return of_slow(newest);
    error_shares errors = knows->errors_since(engine_.cut_over_at().value_or(since));
    errors.sample = newest.sample;
    return errors;
  }
  return {};
}

void judge::start_anew(const deployment::start_rules_anew& how) {
  engine_.cutover(how.at, how.forgive, how.recalled);
  if (recorder_) recorder_->cutover(how.at, how.forgive, how.recalled);
  for (const auto& [name, t] : how.known) {
    if (!t.since) continue;
    const rules::seen_before what{t.meaning, *t.since, t.last.at, t.bridged};
    engine_.resume(what);
    if (recorder_) recorder_->resumed(now(), what);
  }
  settle();
}

void judge::window(bool open) {
  engine_.window(open);
  if (recorder_) recorder_->window(now(), open);
  settle_soon();
}

void judge::follow(const deployment::state& s) {
  const std::uint64_t epoch = s.track.now ? s.track.now->number : 0;
  const std::uint64_t was_latched_in = std::exchange(latched_in_, s.latched ? epoch : 0);
  if (recorder_ && epoch != 0 && was_latched_in == epoch && !s.latched) recorder_->unlatched(now());
  const std::string held = s.held ? text_of(*s.held) : std::string();
  if (std::exchange(held_, held) != held && recorder_) recorder_->hold(now(), held);
}

}  // namespace flipback
