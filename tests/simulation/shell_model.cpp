#include "tests/simulation/shell_model.hpp"

#include <algorithm>
#include <utility>

namespace flipback::simulation {

using deployment::happening;
using rollback::answer;

shell_model::shell_model(world& in, watcher& to, double dies_at_a_step)
    : world_(in),
      watcher_(to),
      dies_at_a_step_(dies_at_a_step),
      rules_(in.how, in.traffic, in.clock, in.wrong),
      facts_(
          in, [this](duration wait, std::function<void()> what) { later(wait, std::move(what)); },
          [this](deployment::fact which, std::uint64_t serial, const std::string& trouble) {
            happen(deployment::stored{.fact = std::string(name_of(which)), .trouble = trouble, .serial = serial});
          }),
      journal_(in, [this](duration wait, std::function<void()> what) { later(wait, std::move(what)); }) {}

bool shell_model::dies() {
  if (!dead_ && dies_at_a_step_ > 0 && rolls_back() && world_.chance.chance(dies_at_a_step_)) {
    dead_ = true;
    world_.tell("the agent dies");
  }
  return dead_;
}

void shell_model::later(duration wait, std::function<void()> what) {
  world_.time.after(wait, [this, alive = alive_, what = std::move(what)] {
    if (*alive && !dead_) what();
  });
}

/// What is asked of the world comes back after a while, sometimes a long one, sometimes never; and of a reload it is lost.
void shell_model::ask_world(std::function<void()> what) {
  if (world_.wrong.answers_lost && world_.chance.chance(0.7)) return;
  duration wait = world_.chance.between(milliseconds(1), milliseconds(300));
  if (world_.wrong.answers_late) wait = world_.chance.between(milliseconds(500), seconds(40));
  later(wait, [this, asked_by = generation_, what = std::move(what)] {
    if (asked_by == generation_) what();
  });
}

deployment::present shell_model::present() const {
  deployment::present p;
  p.at = world_.now();
  p.names = world_.names();
  p.rules = rules_.at(world_.time.now(), state_);
  p.not_this_release = rules_.not_this_release();
  return p;
}

void shell_model::happen(happening what) {
  queue_.push_back(std::move(what));
  if (std::exchange(stepping_, true)) return;
  while (!queue_.empty() && !dead_) {
    const happening next = std::move(queue_.front());
    queue_.pop_front();
    take_step(next);
  }
  stepping_ = false;
}

void shell_model::take_step(const happening& what) {
  ++world_.steps;
  const deployment::present now = present();
  deployment::stepped done = deployment::step(std::move(state_), world_.how.by, now, what);
  watcher_.stepped(now, what, done);
  state_ = std::move(done.after);
  for (const deployment::action& a : done.actions) {
    if (dies()) return;
    std::visit([this](const auto& one) { on(one); }, a);
    if (dies()) return;
  }
}

void shell_model::start() {
  const stored_facts& kept = world_.facts;
  deployment::started e = deployment::recall({kept[0], kept[1], kept[2], kept[3]}, world_.how.by, world_.both_clocks());
  if (world_.chance.chance(0.01) && e.recalled) {
    e.unreadable.emplace_back("hold", "the row is damaged");
    e.held.reset();
  }
  if (world_.journal.open()) {
    cut_off_ = world_.journal.rows;
    e.cut_off = attempt_from(cut_off_.front().of, world_.how.by, e.recalled ? e.recalled->then.number : 0, world_.now());
  }
  rules_.watch_from(world_.how.log_fills ? duration{} : world_.time.now());
  rules_.start_anew(world_.time.now(), false);
  watcher_.born(e);
  happen(std::move(e));
  tick();
  look();
}

void shell_model::tick() {
  const std::optional<slot_number> live = state_.track.now ? std::optional(state_.track.now->live.slot) : std::nullopt;
  rules_.read(live, world_.time.now());
  happen(deployment::judged{});
  if (reload_to_ && !rolls_back()) {
    ++generation_;
    world_.how.by = *std::exchange(reload_to_, std::nullopt);
    world_.tell("the configuration is read again: mode {}", name_of(world_.how.by.mode));
    happen(deployment::judged{});
  }
  later(milliseconds(500), [this] { tick(); });
}

void shell_model::reload(const terms& by) {
  reload_to_ = by;
}

void shell_model::ask(deployment::verb v) {
  watcher_.asked(v);
  happen(std::move(v));
}

void shell_model::look() {
  if (std::exchange(looking_, true)) {
    look_again_ = true;
    return;
  }
  deployment::sighting s;
  s.begun = world_.now();
  s.fresh = deployment::wants_fresh_look(state_.track);
  duration took = world_.chance.between(milliseconds(2), milliseconds(60));
  if (world_.wrong.door_silent) took = seconds(1);
  const duration asked_at = world_.chance.between({}, took);
  later(asked_at, [this, s, rest = took - asked_at]() mutable {
    std::optional<nginx_model::passed> went;
    if (!world_.wrong.door_silent) s.front_door = world_.nginx.ask_door(s.fresh, went);
    if (s.fresh && went && world_.how.log && !world_.wrong.log_silent && world_.chance.chance(0.9)) s.log.our_question = went->slot;
    for (slot_number n = 0; n < world_.slots.count(); ++n) s.slots.push_back(world_.slots.asked_directly(n));
    later(rest, [this, s] { end_look(s); });
  });
}

void shell_model::end_look(deployment::sighting s) {
  looking_ = false;
  s.at = world_.now();
  s.names = present().names;
  s.log.readable = world_.how.log && !world_.wrong.log_silent;
  s.log.answered.assign(world_.slots.count(), 0);
  if (s.log.readable) {
    const auto& all = world_.traffic.all();
    for (std::size_t i = all.size(); i-- > 0 && all[i].ends > looked_;) {
      for (slot_number n = 0; n < all[i].requests.size(); ++n) s.log.answered[n] += static_cast<std::uint64_t>(all[i].requests[n] + 0.5);
    }
  }
  looked_ = world_.time.now();
  if (world_.how.workers_visible && world_.nginx.runs() && s.names.changed) {
    s.workers.visible = true;
    const auto live = world_.disk.find(world_.nginx.live_path(0));
    s.workers.all_since_change = std::ranges::all_of(
        world_.nginx.accepting(), [&](const auto* g) { return live != nullptr && world_.clock.at(g->born).wall >= *s.names.changed; });
  }
  door_failed_.emplace_back(world_.time.now(), s.front_door.status >= 500);
  while (world_.time.now() - door_failed_.front().first > std::chrono::minutes(1)) door_failed_.pop_front();
  for (slot_number n = 0; n < s.slots.size(); ++n) watcher_.answered(n, s.begun.at, s.slots[n].well);
  happen(deployment::looked{std::move(s)});
  const bool soon = std::exchange(look_again_, false) || deployment::is_changing(state_.track);
  later(soon ? milliseconds(150) : world_.how.by.watch_every + world_.chance.between(milliseconds(-50), milliseconds(50)),
        [this] { look(); });
}

void shell_model::on(const deployment::say& a) {
  world_.tell("says [{}] {}", a.what.kind, a.what.says);
}

void shell_model::on(const deployment::start_rules_anew& a) {
  rules_.start_anew(world_.clock.since_beginning(a.at), a.forgive);
}

void shell_model::on(const deployment::ask_stable& a) {
  const instant asked = world_.now().at;
  ask_world([this, a, asked] {
    const auto r = world_.slots.asked_directly(a.slot);
    watcher_.answered(a.slot, asked, r.well);
    happen(deployment::stable_answered{{a.epoch, a.slot, asked, r.well, r.self.release, r.says}});
  });
}

void shell_model::on(const deployment::ask_blame& a) {
  const instant asked = world_.now().at;
  ask_world([this, a, asked] {
    deployment::blame found;
    const bool live_fails = world_.slots.failing(a.live) > 0;
    const bool stable_fails = world_.slots.failing(a.stable) > 0.5;
    using kind = deployment::blame::kind;
    found.is = live_fails && stable_fails ? kind::both_fail : live_fails ? kind::release_to_blame : kind::both_well;
    if (world_.chance.chance(0.1)) found.is = kind::cant_tell;
    found.says = "both were asked";
    happen(deployment::blame_answered{a.rule, a.epoch, a.condition, asked, found});
  });
}

void shell_model::on(const deployment::ask_ready&) {
  ask_world([this] {
    deployment::known_readiness r;
    r.looked = world_.now().at;
    if (world_.wrong.disk_read_only) r.lacks.push_back({true, "the live file can't be written", {}});
    if (!world_.nginx.takes_its_files()) r.lacks.push_back({true, "nginx refuses its configuration as it is", {}});
    if (!world_.nginx.runs()) r.lacks.push_back({true, "nginx does not run", {}});
    if (world_.wrong.store_fails) r.lacks.push_back({false, "the state can't be stored", {}});
    happen(deployment::ready_looked{std::move(r)});
  });
}

void shell_model::on(const deployment::begin_rollback& a) {
  if (a.what.recovery) return recover(a.what);
  begin_once_forgotten(a, world_.time.now() + seconds(2));
}

/// The journal has room for one attempt: the one before is given a moment to be forgotten.
void shell_model::begin_once_forgotten(const deployment::begin_rollback& a, duration at_latest) {
  if (closing_ == 0 || world_.time.now() >= at_latest) return begin(a);
  later(milliseconds(1), [this, a, at_latest] { begin_once_forgotten(a, at_latest); });
}

void shell_model::begin(const deployment::begin_rollback& a) {
  auto changes = world_.wrong.switch_unreadable ? std::nullopt : world_.nginx.changes_to(a.what.to.slot);
  world_.tell("a rollback to {} begins: {} {}", world_.how.by.slots[a.what.to.slot], a.what.why.rule, a.what.why.by);
  if (!changes) {
    rollback::ending none;
    none.says = "the switch can't be made to name it";
    return happen(deployment::ended{a.what.id, none});
  }
  const bool failed = std::ranges::any_of(door_failed_, [](const auto& d) { return d.second; });
  start_machine(plan_for(world_, a.what, std::move(*changes), state_.track.slots, failed), rollback::start{world_.now().at});
}

void shell_model::start_machine(rollback::plan p, const rollback::happening& with) {
  const std::string id = p.of.id;
  rollback_model::surroundings s;
  s.ask_leave = [this, id](std::string refused) { happen(deployment::prepared{id, std::move(refused)}); };
  s.changed = [this, id] { happen(deployment::changed{id}); };
  s.finished = [this, id](const rollback::ending& how) {
    staged_.reset();  // what was not used up is swept away
    happen(deployment::ended{id, how});
  };
  s.say = [this](const event& e) { on(deployment::say{e}); };
  s.later = [this](duration wait, std::function<void()> what) { later(wait, std::move(what)); };
  s.dies = [this] { return dies(); };
  s.staged = [this, to = p.forward.slot] { return staged_ == to; };
  rollbacks_.push_back(std::make_unique<rollback_model>(world_, watcher_, journal_, std::move(p), std::move(s)));
  rollback_ = rollbacks_.back().get();
  rollback_->happen(with);
}

/// What an earlier life began is looked at, and the stable slot is asked, before the machine is entered anew.
void shell_model::recover(const deployment::attempt& what) {
  world_.tell("an attempt was cut off: {}", cut_off_.back().says);
  later(world_.chance.between(milliseconds(5), milliseconds(1000)), [this, what] {
    rollback::cut_off found;
    for (const rollback::change& c : cut_off_.front().of.changes) found.changes.push_back(world_.disk.state_of(std::get<file_change>(c)));
    found.names = present().names;
    if (cut_off_.back().is == rollback::row::kind::ended) {
      const auto changes = [](const rollback::row& r) {
        return r.is == rollback::row::kind::reloading || (r.is == rollback::row::kind::put && r.answer != answer::no);
      };
      found.ended = rollback::ended_before{cut_off_.back().answer == answer::yes, std::ranges::any_of(cut_off_, changes)};
    }
    found.rows = cut_off_.back().number + 1;
    found.undo_begun = std::ranges::any_of(cut_off_, [](const rollback::row& r) { return r.is == rollback::row::kind::undoing; });
    const auto r = world_.slots.asked_directly(what.to.slot);
    watcher_.answered(what.to.slot, world_.now().at, r.well);
    found.stable_is_well = r.well;
    found.stable_has_release = what.to.release.empty() || r.self.release.empty() || r.self.release == what.to.release;
    found.stable_says = r.says;
    watcher_.recovering(found);
    std::vector<deployment::slot_knowledge> known(world_.slots.count());
    for (slot_number n = 0; n < known.size(); ++n) known[n].identity = world_.slots.asked_directly(n).self.identity;
    start_machine(plan_for(world_, what, cut_off_.front().of.changes, known, true), rollback::start_over{world_.now().at, found});
  });
}

void shell_model::on(const deployment::give_leave&) {
  if (rollback_ != nullptr) rollback_->happen(rollback::leave{world_.now().at, present().names});
}

void shell_model::on(const deployment::stop_rollback& a) {
  if (rollback_ != nullptr) rollback_->happen(rollback::stop{a.why});
}

void shell_model::on(const deployment::close_journal& a) {
  ++closing_;
  facts_.when_all_kept([this, id = a.id] {
    if (!rolls_back() || rollback_->plan().of.id == id) journal_.forget(id);
    --closing_;
    happen(deployment::journal_closed{id});
  });
}

void shell_model::on(const deployment::keep& a) {
  facts_.keep(a.what, a.serial, state_);
}

void shell_model::on(const deployment::answer_verb& a) {
  world_.tell("answers verb {}: {} {}", a.id, a.done ? "done," : "no,", a.text);
}

void shell_model::on(const deployment::stage_for& a) {
  if (world_.wrong.disk_full && a.slot) return;
  staged_ = a.slot;
}

void shell_model::on(const deployment::look_at_once&) {
  if (looking_) look_again_ = true;
  // Else the next look is under way soon enough: one look at a time.
}

}  // namespace flipback::simulation
