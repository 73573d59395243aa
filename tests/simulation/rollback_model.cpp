#include "tests/simulation/rollback_model.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::simulation {

using deployment::answer;
using rollback::row;

namespace {

std::string text_of(const rollback::action& a) {
  struct {
    std::string operator()(const rollback::write_row& w) const {
      return fmt::format("row {} {}{} {}", w.what.number, name_of(w.what.is), w.awaited ? " (waited for)" : "", w.what.says);
    }
    std::string operator()(const rollback::run_test&) const { return "nginx -t"; }
    std::string operator()(const rollback::ask_leave&) const { return "asks for leave"; }
    std::string operator()(const rollback::put_change& p) const {
      return fmt::format("puts change {} to its {}", p.change, p.to == rollback::end::after ? "after" : "before");
    }
    std::string operator()(const rollback::mark_nginx&) const { return "marks nginx"; }
    std::string operator()(const rollback::reload_nginx&) const { return "reloads nginx"; }
    std::string operator()(const rollback::look_for_proof& l) const { return l.ask ? "asks for a proof" : ""; }
    std::string operator()(const rollback::tell_changed&) const { return "has changed something"; }
    std::string operator()(const rollback::tell_step& t) const { return t.what.says; }
    std::string operator()(const rollback::finish& f) const { return fmt::format("ends: {}, {}", name_of(f.how.how), f.how.says); }
  } text;
  return std::visit(text, a);
}

}  // namespace

deployment::attempt attempt_from(const rollback::attempt& written, const terms& by, std::uint64_t epoch, const moment& now) {
  deployment::attempt made;
  made.id = written.id;
  made.why.rule = written.rule;
  made.why.by = written.by;
  made.why.reason = written.why;
  if (written.flip)
    made.why.is = deployment::cause::kind::flip;
  else if (!written.by.empty())
    made.why.is = written.rule == "security" ? deployment::cause::kind::ordered : deployment::cause::kind::approved;
  const auto place = [&](const rollback::named_slot& s) {
    const auto found = std::ranges::find(by.slots, s.name);
    return deployment::placed{static_cast<slot_number>(found - by.slots.begin()), s.release};
  };
  made.from = place(written.from);
  made.to = place(written.to);
  made.epoch = epoch;
  made.begun = now;
  made.recovery = true;
  return made;
}

rollback::plan plan_for(const world& in, const deployment::attempt& what, std::vector<rollback::change> changes,
                        const std::vector<deployment::slot_knowledge>& known, bool failed_before) {
  rollback::plan p;
  p.of.id = what.id;
  p.of.from = {in.how.by.slots[what.from.slot], what.from.release};
  p.of.to = {in.how.by.slots[what.to.slot], what.to.release};
  p.of.rule = what.why.rule;
  p.of.why = what.why.reason;
  p.of.by = what.why.by;
  p.of.begun = what.begun.wall;
  p.of.changes = std::move(changes);
  p.of.flip = what.why.flips();
  p.reloads = in.how.how != switched_by::socket;
  p.forward.slot = what.to.slot;
  p.forward.other = what.from.slot;
  if (known.size() > std::max(what.to.slot, what.from.slot)) {
    p.forward.identity = known[what.to.slot].identity;
    p.forward.other_identity = known[what.from.slot].identity;
  }
  p.forward.within = in.how.prove_within;
  p.forward.new_workers_needed = p.reloads;
  p.forward.failed_before = failed_before;
  p.back = p.forward;
  std::swap(p.back.slot, p.back.other);
  std::swap(p.back.identity, p.back.other_identity);
  p.back.may_fail = true;
  return p;
}

rollback_model::rollback_model(world& in, watcher& to, journal_writer& journal, rollback::plan plan, surroundings with)
    : world_(in), watcher_(to), journal_(journal), plan_(std::move(plan)), with_(std::move(with)) {}

void rollback_model::happen(const rollback::happening& what) {
  ++world_.steps;
  rollback::machine_stepped now = rollback::step(std::move(state_), plan_, what);
  state_ = std::move(now.after);
  for (const rollback::action& a : now.actions) {
    if (with_.dies()) return;
    if (world_.told) {
      if (const std::string text = text_of(a); !text.empty()) world_.tell("  rollback: {}", text);
    }
    perform(a);
    if (with_.dies()) return;
  }
}

void rollback_model::perform(const rollback::action& a) {
  std::visit([this](const auto& what) { on(what); }, a);
}

void rollback_model::on(const rollback::write_row& a) {
  if (a.awaited)
    journal_.write(a.what, [this](const std::string& trouble) { happen(rollback::written{trouble}); });
  else
    journal_.write(a.what, nullptr);
}

void rollback_model::on(const rollback::run_test&) {
  if (world_.wrong.test_hangs) {
    with_.later(seconds(10),
                [this] { happen(rollback::tested{answer::cant_tell, "nginx -t did not end within 10s", seconds(10), world_.names()}); });
    return;
  }
  const duration took = world_.chance.between(milliseconds(5), milliseconds(80));
  const bool good = world_.nginx.takes_its_files();
  with_.later(took, [this, took, good] {
    happen(rollback::tested{good ? answer::yes : answer::no, good ? "" : "[emerg] of a file", took, world_.names()});
  });
}

void rollback_model::on(const rollback::ask_leave& a) {
  with_.ask_leave(a.refused);
}

void rollback_model::on(const rollback::put_change& a) {
  const auto& c = std::get<file_change>(plan_.of.changes.at(a.change));
  const bool folder_synced = !world_.chance.chance(0.005);
  const auto how = world_.disk.put(c, a.to, world_.wrong, with_.staged(), world_.now().wall, folder_synced);
  watcher_.put(plan_.of.changes[a.change], a.to, how);
  if (with_.dies()) return;
  const duration wait =
      world_.wrong.disk_slow ? world_.chance.between(milliseconds(1), seconds(3)) : world_.chance.between({}, milliseconds(2));
  with_.later(wait, [this, how] { happen(rollback::put_done{how, world_.names()}); });
}

void rollback_model::on(const rollback::mark_nginx&) {
  marked_ = true;
  complaints_then_ = world_.nginx.complaints();
  workers_then_.clear();
  for (const auto* g : world_.nginx.accepting()) workers_then_.insert(g->number);
}

void rollback_model::on(const rollback::reload_nginx&) {
  if (world_.wrong.reload_lost) {
    if (world_.chance.chance(0.5)) world_.nginx.reload();
    with_.later(world_.chance.between(milliseconds(5), seconds(5)),
                [this] { happen(rollback::reloaded{answer::cant_tell, "the command failed", world_.now().at}); });
    return;
  }
  const bool runs = world_.nginx.runs();
  world_.nginx.reload();
  with_.later(world_.chance.between(milliseconds(1), milliseconds(5)), [this, runs] {
    happen(rollback::reloaded{runs ? answer::yes : answer::cant_tell, runs ? "" : "there is no nginx to signal", world_.now().at});
  });
}

void rollback_model::on(const rollback::look_for_proof& a) {
  with_.later(a.in + milliseconds(1), [this, a] { look(a); });
}

void rollback_model::look(const rollback::look_for_proof& a) {
  rollback::proof_look seen;
  if (marked_ && world_.nginx.complaints() > complaints_then_) seen.emerg = "[emerg] of a file";
  if (world_.how.workers_visible && marked_ && world_.nginx.runs()) {
    seen.new_workers = seen.old_gone = answer::no;
    std::size_t old = 0;
    for (const auto* g : world_.nginx.accepting()) {
      if (workers_then_.contains(g->number))
        ++old;
      else
        seen.new_workers = answer::yes;
    }
    if (old == 0) seen.old_gone = answer::yes;
  }
  if (!a.ask) {
    return tell_look(std::move(seen));
  }
  std::optional<nginx_model::passed> went;
  deployment::reply door;
  duration took = world_.chance.between(milliseconds(1), milliseconds(15));
  if (world_.wrong.door_silent)
    took = seconds(1);
  else
    door = world_.nginx.ask_door(true, went);
  if (door.is == deployment::reply::kind::silent) took = seconds(1);
  if (door.is == deployment::reply::kind::failing) seen.direct = world_.slots.asked_directly(a.expected);
  if (went && world_.how.log && !world_.wrong.log_silent && world_.chance.chance(0.95)) {
    rollback::own_line line;
    line.slot = went->slot;
    if (world_.how.workers_visible && marked_) line.by_new_worker = workers_then_.contains(went->generation) ? answer::no : answer::yes;
    line.upstream_status = door.status == 0 ? 499 : door.status;
    seen.line = line;
  }
  seen.door = std::move(door);
  with_.later(took, [this, seen] { tell_look(seen); });
}

void rollback_model::tell_look(rollback::proof_look seen) {
  seen.at = world_.now().at;
  seen.names = world_.names();
  happen(rollback::proof_looked{std::move(seen)});
}

void rollback_model::on(const rollback::tell_changed&) {
  with_.changed();
}

void rollback_model::on(const rollback::tell_step& a) {
  with_.say(a.what);
}

void rollback_model::on(const rollback::finish& a) {
  with_.finished(a.how);
}

}  // namespace flipback::simulation
