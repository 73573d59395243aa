#include "tests/simulation/invariants.hpp"

#include "agent/rollback/outcome.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::simulation {

using deployment::cause;
using deployment::verb;

namespace {

template <typename T>
const T* field(const event& e, std::string_view name) {
  for (const auto& [key, value] : e.fields) {
    if (key == name) return std::get_if<T>(&value);
  }
  return nullptr;
}

std::string text_in(const event& e, std::string_view name) {
  const auto* found = field<std::string>(e, name);
  return found == nullptr ? std::string() : *found;
}

}  // namespace

void invariants::fail(std::string why) {
  if (!broken_.empty()) return;
  broken_ = std::move(why);
  world_.tell("BROKEN: {}", broken_);
}

void invariants::may_begin_an_epoch() {
  touched();
  maker_ = world_.time.now();
  ++makers_since_cutover_;
  changed_since_maker_ = 0;
  rolled_back_at_.reset();
}

void invariants::born(const deployment::started& seen) {
  ended_before_ = false;
  recovers_to_sick_ = false;
  newest_.assign(world_.slots.count(), std::nullopt);
  if (!under_way_.empty() && !seen.cut_off) makers_since_cutover_ = 1;  // it was unrecorded
  under_way_ = seen.cut_off ? seen.cut_off->id : std::string();
  if (!seen.recalled || seen.recalled->then.number < epoch_) makers_since_cutover_ = 1;
  epoch_ = seen.recalled ? seen.recalled->then.number : 0;  // what did not come to the disk is forgotten
  // A hold that never came to the disk was said to be none that outlasts a restart.
  if (held_since_ && !seen.held) held_since_.reset();
}

void invariants::died() {
  verbs_.clear();
  breaches_.clear();
  disturbed();
}

void invariants::answered(slot_number slot, instant asked, bool well) {
  auto& known = newest_.at(slot);
  if (!known || asked >= known->asked) known = direct{asked, well};
}

void invariants::asked(const verb& v) {
  if (!verbs_.emplace(v.id, open_verb{v, world_.time.now()}).second) fail("the simulator asked twice with one number");
  disturbed();
}

void invariants::put(const rollback::change& c, rollback::end to, const rollback::put_result& how) {
  using kind = rollback::put_result::kind;
  const auto& f = std::get<file_change>(c);
  world_.tell("  disk: {} {}", f.path, how.is == kind::done ? "says it now" : how.says);
  if (ended_before_) fail("a file was put for an attempt that had ended");
  if (recovers_to_sick_ && to == rollback::end::after && how.is == kind::done && world_.nginx.leads_to() != to_ &&
      world_.how.sites != site_kind::split)
    fail("a recovery made a slot live that had just answered sick");
  if (under_way_.empty()) fail("a file was put, and no rollback is under way");
  if (!leave_at_) fail("a file was put without leave");
  const bool recorded = world_.journal.open() && world_.journal.rows.front().of.id == under_way_;
  const bool journal_ill = world_.wrong.journal_fails || world_.wrong.journal_hangs || world_.time.now() - store_ill_ < seconds(120);
  if (!recorded && !journal_ill) fail("a file was put, and the journal knows nothing of the attempt");
  if (to == rollback::end::before && !journal_ill &&
      std::ranges::none_of(world_.journal.rows, [](const rollback::row& r) { return r.is == rollback::row::kind::undoing; }))
    fail("a file was put back, and the journal has no row that says so");
  if (how.is == kind::done || how.is == kind::cant_tell) {
    const file_image& now = world_.disk.read(f.path);
    if (!now.says_the_same_as(to == rollback::end::after ? f.after : f.before)) fail(f.path + " is not whole");
    if (changed_ids_.insert(under_way_).second && !flips_) ++changed_since_maker_;
  }
}

void invariants::recovering(const rollback::cut_off& found) {
  ended_before_ = found.ended.has_value();
  recovers_to_sick_ = !found.stable_is_well;
  leave_at_ = world_.time.now();
}

void invariants::on_said(const event& e, const deployment::state& s) {
  ++figures_[e.kind];
  if (e.kind == "deployment.cutover") {
    if (makers_since_cutover_ == 0) fail("it said a cutover, and nobody has changed anything since the one before");
    // What was changed after the first that was seen of it may be said as one of its own.
    if (flips_) changed_since_maker_ = 0, rolled_back_at_.reset();
    makers_since_cutover_ = s.track.now && maker_ >= world_.clock.since_beginning(s.track.now->began.at) ? 1 : 0;
  }
  if (e.kind.starts_with("rollback.")) {
    const std::string rule = text_in(e, "rule");
    for (auto& [name, b] : breaches_) b.said = b.said || rule == name || e.kind == "rollback.decided" || e.kind == "rollback.step";
  }
  if (e.kind.ends_with(".closed") || e.kind.ends_with(".recovered")) on_closed(e);
}

/// What is said to have come of it, beside what users reach in truth.
void invariants::on_closed(const event& e) {
  const std::string outcome = text_in(e, "outcome");
  const std::string reached = text_in(e, "reached");
  const bool disturbed_since = leave_at_ && touched_ >= *leave_at_ - seconds(1);
  ++figures_[e.kind + ": " + outcome];
  const bool of_a_flip = e.kind.starts_with("flip.");
  const bool proven = outcome == "rolled back" || outcome == "flipped";
  if (of_a_flip) {
    const bool came_to_nothing = outcome == "undone" || outcome == "nothing changed";
    if (came_to_nothing && makers_since_cutover_ > 0) --makers_since_cutover_;
    if (!came_to_nothing) maker_ = world_.time.now();
  } else if (proven || outcome == "unproven") {
    rolled_back_at_ = world_.time.now();
  }
  if (!disturbed_since) {
    const auto truth = world_.how.sites == site_kind::split ? world_.nginx.leads_to() : world_.nginx.reached();
    const std::string is = truth ? world_.how.by.slots[*truth] : "both, or none";
    if (proven && reached != is) fail(fmt::format("it said {}, {} reached, and users reach {}", outcome, reached, is));
    // What some of them reach may be seen for what all do, by chance: where they are split, and while old workers linger.
    const bool by_turns = world_.how.sites == site_kind::split || world_.nginx.lingers || !truth;
    if (outcome == "undone" && reached != "can't tell" && reached != is && !by_turns)
      fail(fmt::format("it said undone, {} reached, and users reach {}", reached, is));
  }
  if (outcome == "unproven" && !world_.wrong.switch_unreadable && to_ && world_.nginx.intent().named() != *to_)
    fail(fmt::format("it said that the switch names {}, which it does not", world_.how.by.slots[*to_]));
  leave_at_.reset();
  under_way_.clear();
  ended_before_ = false;
  recovers_to_sick_ = false;
}

void invariants::note_breaches(const deployment::present& now, const deployment::state& s) {
  std::erase_if(breaches_, [&](const auto& b) {
    const auto rule = std::ranges::find(now.rules, b.first, &deployment::rule_now::name);
    return rule == now.rules.end() || !rule->breached || rule->true_since != b.second.since;
  });
  for (const auto& rule : now.rules) {
    const bool decided = s.under_way && s.under_way->why.rule == rule.name;
    if (rule.breached) breaches_.try_emplace(rule.name, breach{rule.true_since, world_.time.now(), decided});
  }
}

void invariants::check_said_in_time() {
  for (const auto& [name, b] : breaches_) {
    if (!b.said && world_.time.now() - b.seen > seconds(1))
      fail(fmt::format("{} has been breached for more than a second and nothing was said", name));
  }
}

void invariants::check_verbs(bool settled_now) {
  for (const auto& [id, v] : verbs_) {
    if (settled_now || world_.time.now() - v.since > seconds(200))
      fail(fmt::format("verb {} was not answered in {}", id, format_duration(world_.time.now() - v.since)));
  }
}

void invariants::stepped(const deployment::present& now, const deployment::happening& what, const deployment::stepped& done) {
  const deployment::state& s = done.after;
  if (s.track.now && s.track.now->number < epoch_) fail("an epoch's number went back");
  const auto* looked = std::get_if<deployment::looked>(&what);
  const bool by_a_look = looked != nullptr && s.track.now && s.track.now->number > epoch_;
  if (by_a_look && !looked->seen.names.named()) fail("a new epoch began by a look at which the switch names no slot");
  if (s.track.now) epoch_ = s.track.now->number;
  if (s.under_way) {
    under_way_ = s.under_way->id;
    to_ = s.under_way->to.slot;
    flips_ = s.under_way->why.flips();
  }
  note_breaches(now, s);
  for (std::size_t i = 0; i < done.actions.size(); ++i) {
    const deployment::action& a = done.actions[i];
    if (std::holds_alternative<deployment::start_rules_anew>(a) && i != 0) fail("the rules did not start anew before everything else");
    if (const auto* said = std::get_if<deployment::say>(&a)) on_said(said->what, s);
    if (std::holds_alternative<deployment::give_leave>(a)) on_leave(done, now);
    if (const auto* answer = std::get_if<deployment::answer_verb>(&a)) {
      const auto found = verbs_.find(answer->id);
      if (found == verbs_.end()) {
        fail(fmt::format("verb {} was answered, and waits for no answer", answer->id));
        continue;
      }
      if (answer->text.empty()) fail("a verb was answered without a word");
      const verb& v = found->second.what;
      if (v.is == verb::kind::hold && answer->done && s.held) {
        held_since_ = held_since_ ? *held_since_ : world_.time.now();
      }
      if (v.is == verb::kind::unlatch && answer->done) changed_since_maker_ = 0, rolled_back_at_.reset();
      verbs_.erase(found);
    }
  }
  if (const auto* v = std::get_if<verb>(&what)) {
    // From the step of the verb itself on, whatever its answer waits for.
    if (v->is == verb::kind::hold) {
      const duration rest = held_since_ ? *held_since_ + held_for_ - world_.time.now() : duration{};
      held_since_ = world_.time.now();
      held_for_ = std::max(rest, v->length);
    }
    if (v->is == verb::kind::unhold) held_since_.reset();
    if (v->is == verb::kind::unlatch && !s.latched) changed_since_maker_ = 0, rolled_back_at_.reset();
    if (v->is == verb::kind::window_open && s.track.now && s.track.now->is == deployment::epoch::kind::opened &&
        s.track.now->began == now.at)
      may_begin_an_epoch();
  }
  check_said_in_time();
  check_verbs(false);
}

}  // namespace flipback::simulation
